import type { IndexColumns, IndexOthers } from '../contract'
import type { Overlay, TopOf } from './overlay'

/** One value per row, for the rows loaded so far. */
export interface Columns {
  /** Id of the displayed top label; -1 for none. */
  label: Int32Array
  /** Index into the display names; -1 for none. */
  name: Int32Array
  /** Thousandths. */
  confidence: Uint16Array
  /** -1 for a classified image. */
  error: Int16Array
  bucket: Int32Array
  /** Minutes since 1970 in the camera's local time; -1 if unknown. */
  takenAt: Int32Array
  camera: Int16Array
}

export const emptyColumns = (rows: number): Columns => ({
  label: new Int32Array(rows),
  name: new Int32Array(rows),
  confidence: new Uint16Array(rows),
  error: new Int16Array(rows),
  bucket: new Int32Array(rows),
  takenAt: new Int32Array(rows),
  camera: new Int16Array(rows),
})

/** Copies a block, starting at row `first`. */
export function addBlock(
  columns: Columns,
  first: number,
  block: IndexColumns,
  overlay: Overlay,
  others?: IndexOthers,
): void {
  columns.error.set(block.error, first)
  columns.bucket.set(block.bucket, first)
  columns.takenAt.set(block.takenAt, first)
  columns.camera.set(block.camera, first)
  if (overlay.top && others) setTop(columns, first, block, overlay.top, others)
  else {
    columns.label.set(block.label, first)
    columns.confidence.set(block.confidence, first)
  }
  for (let row = first; row < first + block.label.length; row++)
    columns.name[row] = overlay.nameOf[columns.label[row] as number] ?? -1
}

function setTop(columns: Columns, first: number, block: IndexColumns, top: TopOf, others: IndexOthers): void {
  block.label.forEach((label, row) => {
    const labels = [label, ...(others.label[row] ?? [])]
    const confidences = [block.confidence[row] ?? 0, ...(others.confidence[row] ?? [])]
    const found = top(labels, confidences)
    columns.label[first + row] = found.label
    columns.confidence[first + row] = found.confidence
  })
}
