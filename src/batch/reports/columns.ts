import { isoOf, msOf } from '../../clock'
import type { ImageRecord } from '../../schema'

/**
 * `bytes` may exceed 32 bits. `time` is ISO 8601 in UTC; `localTime` has no zone, as a camera's clock shows it.
 * `labels` is a list.
 */
export type ColumnType = 'text' | 'integer' | 'bytes' | 'number' | 'time' | 'localTime' | 'labels'

type Cell = string | number | null | ImageRecord['labels']

/** A column of the exports, the same in CSV, JSON Lines and Parquet. */
export interface Column {
  name: string
  type: ColumnType
  /** Every record has a value. */
  isRequired: boolean
  of: (record: ImageRecord) => Cell
}

const column = (
  name: string,
  type: ColumnType,
  of: (record: ImageRecord) => Cell | undefined,
  isRequired = false,
): Column => ({ name, type, isRequired, of: (record) => of(record) ?? null })

const required = (name: string, type: ColumnType, of: (record: ImageRecord) => Cell): Column =>
  column(name, type, of, true)

/** Parses a time from outside. @returns null when it is not valid */
function timeOf(text: string | null): string | null {
  const time = msOf(text ?? '')
  return Number.isNaN(time) ? null : isoOf(time)
}

/** The columns of all exports, in order. */
export const columns: readonly Column[] = [
  required('bucket', 'text', ({ bucket }) => bucket),
  required('key', 'text', ({ key }) => key),
  required('status', 'text', ({ status }) => status),
  column('label', 'text', ({ labels: [top] }) => top?.label),
  column('probability', 'number', ({ labels: [top] }) => top?.probability),
  column('className', 'text', ({ labels: [top] }) => top?.className),
  column('wordnetId', 'text', ({ labels: [top] }) => top?.wordnetId),
  column('error', 'text', ({ error }) => error?.code),
  column('width', 'integer', ({ width }) => width),
  column('height', 'integer', ({ height }) => height),
  column('format', 'text', ({ format }) => format),
  // Without the offset from UTC: the column holds the camera's local time.
  column('takenAt', 'localTime', ({ exif }) => exif?.takenAt?.slice(0, 19)),
  column('camera', 'text', ({ exif }) => exif?.camera),
  column('latitude', 'number', ({ exif }) => exif?.position?.latitude),
  column('longitude', 'number', ({ exif }) => exif?.position?.longitude),
  column('size', 'bytes', ({ size }) => size),
  column('etag', 'text', ({ etag }) => etag),
  column('lastModified', 'time', ({ lastModified }) => timeOf(lastModified)),
  required('model', 'text', ({ model }) => model),
  required('engine', 'text', ({ engine }) => engine),
  column('at', 'time', ({ at }) => timeOf(at)),
  required('downloadMs', 'number', ({ timings }) => timings.download),
  required('decodeMs', 'number', ({ timings }) => timings.decode),
  required('inferMs', 'number', ({ timings }) => timings.infer),
  required('labels', 'labels', ({ labels }) => labels),
]

/** A record as a row of all columns. */
export const toRow = (record: ImageRecord): Record<string, Cell> =>
  Object.fromEntries(columns.map(({ name, of }) => [name, of(record)]))
