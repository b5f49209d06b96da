/* Where cells of a grid lie: squares of one size in rows of one height, so that nothing has to be measured. */

/** Pixels. */
export interface Layout {
  columns: number
  /** Width and height of a picture. */
  square: number
  /** From the top of a row to that of the next one. */
  rowHeight: number
  rows: number
  height: number
  gap: number
}

/** Height of what is written below each picture, with the space around it. */
const captionHeight = 30

/** @param width of the grid @param count of all its cells */
export function layoutOf(width: number, count: number): Layout {
  const isSmall = width < 560
  const gap = isSmall ? 6 : 14
  const wished = isSmall ? 116 : 176
  const columns = Math.max(isSmall ? 3 : 1, Math.floor((width + gap) / (wished + gap)))
  const square = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns))
  const rowHeight = square + captionHeight + gap
  const rows = Math.ceil(count / columns)
  return { columns, square, rowHeight, rows, height: Math.max(0, rows * rowHeight - gap), gap }
}

/** Rows that are mounted, the last excluded. */
export interface Rows {
  first: number
  last: number
}

/** Beyond the screen. */
const rowsBefore = 1
const rowsAfter = 2

/**
 * @param top how far the grid's beginning is above the screen's
 * @param screen height of the screen
 */
export function rowsOn({ rowHeight, rows }: Layout, top: number, screen: number): Rows {
  const first = Math.floor(top / rowHeight) - rowsBefore
  const last = Math.ceil((top + screen) / rowHeight) + rowsAfter
  return { first: Math.min(Math.max(0, first), rows), last: Math.min(Math.max(0, last), rows) }
}

/** The rows to mount, in order: the one with the focus stays, wherever it is. */
export function mountedRows({ first, last }: Rows, focused: number): number[] {
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index)
  if (focused < 0 || (focused >= first && focused < last)) return rows
  return focused < first ? [focused, ...rows] : [...rows, focused]
}
