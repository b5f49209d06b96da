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
  /** For people. */
  meaning: string
  /** Every record has a value. */
  isRequired: boolean
  of: (record: ImageRecord) => Cell
}

const column = (
  name: string,
  type: ColumnType,
  meaning: string,
  of: (record: ImageRecord) => Cell | undefined,
): Column => ({ name, type, meaning, isRequired: false, of: (record) => of(record) ?? null })

const required = (
  name: string,
  type: ColumnType,
  meaning: string,
  of: (record: ImageRecord) => Cell,
): Column => ({ name, type, meaning, isRequired: true, of })

/** Parses a time from outside. @returns null when it is not valid */
function timeOf(text: string | null): string | null {
  const time = msOf(text ?? '')
  return Number.isNaN(time) ? null : isoOf(time)
}

/** The columns of all exports, in order. */
export const columns: readonly Column[] = [
  required('bucket', 'text', 'Bucket of the image.', ({ bucket }) => bucket),
  required('key', 'text', 'Key of the image.', ({ key }) => key),
  required('status', 'text', '`ok` or `error`.', ({ status }) => status),
  column('label', 'text', 'Top label: the first name of its class.', ({ labels: [top] }) => top?.label),
  column(
    'probability',
    'number',
    'Probability of the top label, 0 to 1.',
    ({ labels: [top] }) => top?.probability,
  ),
  column('className', 'text', 'All names of the class.', ({ labels: [top] }) => top?.className),
  column('wordnetId', 'text', 'Synset of the class in WordNet.', ({ labels: [top] }) => top?.wordnetId),
  column(
    'error',
    'text',
    'Code of the [error](errors.md#images), where the image could not be classified.',
    ({ error }) => error?.code,
  ),
  column('width', 'integer', 'Width of the upright image, pixels.', ({ width }) => width),
  column('height', 'integer', 'Height of the upright image, pixels.', ({ height }) => height),
  column('format', 'text', 'Format of the file, by its content.', ({ format }) => format),
  // Without the offset from UTC: the column holds the camera's local time.
  column('takenAt', 'localTime', "Time of the photo by the camera's clock.", ({ exif }) =>
    exif?.takenAt?.slice(0, 19),
  ),
  column('camera', 'text', 'Make and model of the camera.', ({ exif }) => exif?.camera),
  column(
    'latitude',
    'number',
    'Degrees north; only in batches with `exif: position`.',
    ({ exif }) => exif?.position?.latitude,
  ),
  column(
    'longitude',
    'number',
    'Degrees east; only in batches with `exif: position`.',
    ({ exif }) => exif?.position?.longitude,
  ),
  column('size', 'bytes', 'Size of the object.', ({ size }) => size),
  column('etag', 'text', 'ETag of the version that was classified.', ({ etag }) => etag),
  column('lastModified', 'time', 'Last change of the object.', ({ lastModified }) => timeOf(lastModified)),
  required('model', 'text', 'Version of the model.', ({ model }) => model),
  required('engine', 'text', 'Engine that ran the model.', ({ engine }) => engine),
  column('at', 'time', 'When the download began.', ({ at }) => timeOf(at)),
  required('downloadMs', 'number', 'Time of the download, milliseconds.', ({ timings }) => timings.download),
  required('decodeMs', 'number', 'Time of decoding, milliseconds.', ({ timings }) => timings.decode),
  required('inferMs', 'number', 'Time of inference, milliseconds.', ({ timings }) => timings.infer),
  required('labels', 'labels', 'All labels with their probabilities.', ({ labels }) => labels),
]

/** A record as a row of all columns. */
export const toRow = (record: ImageRecord): Record<string, Cell> =>
  Object.fromEntries(columns.map(({ name, of }) => [name, of(record)]))
