import type { NamedLabel } from '../../labels/classes'

/*
 * `index.bin`: the columns of a batch, to filter, sort and count by, and its records in chunks: a reader of a hundred thousand
 * records downloads only those that it shows. Behind the blocks lies the directory, JSON compressed with gzip, then
 * its length in four bytes, most significant first, and the four letters of the end mark.
 */

/** A part of `index.bin`: its first byte and its length. What lies there is JSON, compressed with gzip. */
export type Section = [from: number, bytes: number]

/** Some thousand records in a row, in the order of the results. */
export interface IndexBlock {
  rows: number
  /** {@link IndexColumns} */
  columns: Section
  /** {@link IndexOthers} */
  others: Section
  /** {@link IndexKeys} */
  keys: Section
  /** Where the records begin: chunks of {@link recordsPerChunk} lines of JSON, each compressed with Brotli, one behind the other. */
  records: number
  /** Bytes of each chunk. */
  chunks: number[]
}

export const recordsPerChunk = 64

/** The last bytes of `index.bin`. */
export const endMark = 'WLIX'

/** What `index.bin` holds. Ids in columns are positions in these lists. */
export interface IndexDirectory<Label = NamedLabel> {
  schema: 'whisklens.index/1'
  rows: number
  labels: Label[]
  /** Codes of errors. */
  codes: string[]
  /** At most {@link maxCameras}. */
  cameras: string[]
  buckets: string[]
  blocks: IndexBlock[]
}

/** Photos choose what their camera is called: further ones count as not known. */
export const maxCameras = 1000

/** One value a row. */
export interface IndexColumns {
  /** Most probable label; -1 for none. */
  label: number[]
  /** Its probability in thousandths, 0–1000. */
  confidence: number[]
  /** Code of the error; -1 for an image that was classified. */
  error: number[]
  bucket: number[]
  /** By the camera's clock, minutes since 1970-01-01T00:00; -1 where it is not known, or before. */
  takenAt: number[]
  /** -1 where it is not known. */
  camera: number[]
}

/** The second to the fifth label of each row: only needed where labels.json leaves labels out or adds them up. */
export interface IndexOthers {
  label: number[][]
  confidence: number[][]
}

export interface IndexKeys {
  key: string[]
}
