/* Layout of the grid: square cells in rows of equal height, so that nothing has to be measured. */

/** In pixels. */
export interface Layout {
  columns: number
  /** Side of a picture. */
  square: number
  /** Distance between the tops of two rows. */
  rowHeight: number
  rows: number
  height: number
  gap: number
}

/** Height of the caption below each picture, including its margins. */
const captionHeight = 30

/** @param width of the grid @param count number of cells */
export function layoutOf(width: number, count: number): Layout {
  const isSmall = width < 560
  const gap = isSmall ? 6 : 14
  const preferredWidth = isSmall ? 116 : 176
  const columns = Math.max(isSmall ? 3 : 1, Math.floor((width + gap) / (preferredWidth + gap)))
  const square = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns))
  const rowHeight = square + captionHeight + gap
  const rows = Math.ceil(count / columns)
  return { columns, square, rowHeight, rows, height: Math.max(0, rows * rowHeight - gap), gap }
}

/** Rows to mount, end exclusive. */
export interface Rows {
  first: number
  last: number
}

/** Overscan. */
const rowsBefore = 1
const rowsAfter = 2

/**
 * @param top distance of the grid's top above the screen's
 * @param screen height of the screen
 */
export function rowsOn({ rowHeight, rows }: Layout, top: number, screen: number): Rows {
  const first = Math.floor(top / rowHeight) - rowsBefore
  const last = Math.ceil((top + screen) / rowHeight) + rowsAfter
  return { first: Math.min(Math.max(0, first), rows), last: Math.min(Math.max(0, last), rows) }
}

/** Indexes of the rows to mount, in order; includes the focused one, wherever it is. */
export function mountedRows({ first, last }: Rows, focused: number): number[] {
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index)
  if (focused < 0 || (focused >= first && focused < last)) return rows
  return focused < first ? [focused, ...rows] : [...rows, focused]
}
