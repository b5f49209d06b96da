interface Keys {
  key: string
  ctrlKey: boolean
  metaKey: boolean
}

interface Shape {
  columns: number
  count: number
  /** Rows per screen. */
  page: number
}

type Move = (at: number, shape: Shape, toAll: boolean) => number

/** Moves by rows within the column. */
const byRows =
  (rows: (shape: Shape) => number): Move =>
  (at, shape) => {
    const { columns, count } = shape
    const column = at % columns
    const lastRow = Math.floor((count - 1 - column) / columns)
    const row = Math.floor(at / columns) + rows(shape)
    return Math.min(Math.max(0, row), lastRow) * columns + column
  }

const moves: Record<string, Move> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  ArrowUp: byRows(() => -1),
  ArrowDown: byRows(() => 1),
  PageUp: byRows(({ page }) => -page),
  PageDown: byRows(({ page }) => page),
  Home: (at, { columns }, toAll) => (toAll ? 0 : at - (at % columns)),
  End: (at, { columns, count }, toAll) => (toAll ? count - 1 : at - (at % columns) + columns - 1),
}

/** Target position of a key. @returns undefined for keys that do not move */
export function targetOf({ key, ctrlKey, metaKey }: Keys, at: number, shape: Shape): number | undefined {
  const move = Object.hasOwn(moves, key) ? moves[key] : undefined
  if (!move || shape.count === 0) return undefined
  return Math.min(Math.max(0, move(at, shape, ctrlKey || metaKey)), shape.count - 1)
}
