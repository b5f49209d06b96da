import type { NamedLabel } from '../../labels/classes'

/*
 * `index.bin`: the columns of a batch for filtering, sorting and counting, and its records in chunks, so that a reader
 * of a hundred thousand records downloads only those it shows. After the blocks come the directory (JSON, gzip), its
 * length (four bytes, big endian) and the end mark (four letters).
 */

/** A section of `index.bin`, by offset and length. It holds JSON, compressed with gzip. */
export type Section = [from: number, bytes: number]

/** Some thousand consecutive records, in the order of the results. */
export interface IndexBlock {
  rows: number
  /** {@link IndexColumns} */
  columns: Section
  /** {@link IndexOthers} */
  others: Section
  /** {@link IndexKeys} */
  keys: Section
  /** Offset of the records: chunks of {@link recordsPerChunk} lines of JSON, each compressed with Brotli. */
  records: number
  /** Length of each chunk, bytes. */
  chunks: number[]
}

export const recordsPerChunk = 64

export const endMark = 'WLIX'

/** The directory of `index.bin`. Ids in columns are positions in these lists. */
export interface IndexDirectory<Label = NamedLabel> {
  schema: 'whisklens.index/1'
  rows: number
  labels: Label[]
  /** Error codes. */
  codes: string[]
  /** At most {@link maxCameras}. */
  cameras: string[]
  buckets: string[]
  blocks: IndexBlock[]
}

/** Camera names come from photos, so their number is bounded: further ones count as unknown. */
export const maxCameras = 1000

/** One value per row. */
export interface IndexColumns {
  /** Id of the most probable label; -1 for none. */
  label: number[]
  /** Its probability in thousandths, 0–1000. */
  confidence: number[]
  /** Id of the error code; -1 for a classified image. */
  error: number[]
  bucket: number[]
  /** By the camera's clock, minutes since 1970-01-01T00:00; -1 when unknown or earlier. */
  takenAt: number[]
  /** -1 when unknown. */
  camera: number[]
}

/** Labels two to five of each row: needed only where labels.json hides or merges labels. */
export interface IndexOthers {
  label: number[][]
  confidence: number[][]
}

export interface IndexKeys {
  key: string[]
}
