import { ByteWriter, parquetWriteRows, type SchemaElement } from 'hyparquet-writer'
import type { ImageRecord } from '../schema'

/** So many rows are held at a time, and written as one row group. */
const rowsInGroup = 10_000

const types = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  count: { type: 'INT32' },
  bytes: { type: 'INT64' },
  number: { type: 'DOUBLE' },
  time: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
} satisfies Record<string, Omit<SchemaElement, 'name'>>

const required = (name: string, type: keyof typeof types): SchemaElement => ({
  name,
  ...types[type],
  repetition_type: 'REQUIRED',
})

const optional = (name: string, type: keyof typeof types): SchemaElement => ({
  ...required(name, type),
  repetition_type: 'OPTIONAL',
})

/** All labels of an image, most probable first: a list of structs. */
const labels: [SchemaElement, ...SchemaElement[]] = [
  { name: 'labels', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', num_children: 5 },
  required('label', 'text'),
  required('className', 'text'),
  required('wordnetId', 'text'),
  required('index', 'count'),
  required('probability', 'number'),
]

/** What a source says of its images' times is text from outside. */
function timeOf(text: string | null): Date | null {
  const time = new Date(text ?? Number.NaN)
  return Number.isNaN(time.getTime()) ? null : time
}

const columns: [elements: [SchemaElement, ...SchemaElement[]], of: (record: ImageRecord) => unknown][] = [
  [[required('bucket', 'text')], ({ bucket }) => bucket],
  [[required('key', 'text')], ({ key }) => key],
  [[required('status', 'text')], ({ status }) => status],
  [[optional('label', 'text')], ({ labels: [top] }) => top?.label],
  [[optional('className', 'text')], ({ labels: [top] }) => top?.className],
  [[optional('wordnetId', 'text')], ({ labels: [top] }) => top?.wordnetId],
  [[optional('probability', 'number')], ({ labels: [top] }) => top?.probability],
  [labels, (record) => record.labels],
  [[optional('error', 'text')], ({ error }) => error?.code],
  [[optional('width', 'count')], ({ width }) => width],
  [[optional('height', 'count')], ({ height }) => height],
  [[optional('format', 'text')], ({ format }) => format],
  [[optional('size', 'bytes')], ({ size }) => (size === null ? null : BigInt(size))],
  [[optional('etag', 'text')], ({ etag }) => etag],
  [[required('model', 'text')], ({ model }) => model],
  [[required('engine', 'text')], ({ engine }) => engine],
  [[optional('lastModified', 'time')], ({ lastModified }) => timeOf(lastModified)],
  [[optional('at', 'time')], ({ at }) => timeOf(at)],
  [[required('downloadMs', 'number')], ({ timings }) => timings.download],
  [[required('decodeMs', 'number')], ({ timings }) => timings.decode],
  [[required('inferMs', 'number')], ({ timings }) => timings.infer],
]

const schema: SchemaElement[] = [
  { name: 'record', num_children: columns.length },
  ...columns.flatMap(([elements]) => elements),
]

/** Hands on what is written, a row group at a time, and waits until it is taken. */
class GroupWriter extends ByteWriter {
  constructor(private readonly write: (bytes: Uint8Array) => Promise<unknown>) {
    super()
  }

  async flush(): Promise<void> {
    await this.write(this.getBytes())
    this.index = 0
  }

  override finish(): Promise<void> {
    return this.flush()
  }
}

/**
 * Writes records as Apache Parquet, in bounded memory however many there are.
 * @param write takes the next bytes of the file; they are overwritten once it has settled
 * @returns how many records there were
 */
export async function writeParquet(
  records: AsyncIterable<ImageRecord>,
  write: (bytes: Uint8Array) => Promise<unknown>,
): Promise<number> {
  let count = 0
  async function* rows() {
    for await (const record of records) {
      count++
      yield Object.fromEntries(columns.map(([[{ name }], of]) => [name, of(record)]))
    }
  }
  await parquetWriteRows({
    writer: new GroupWriter(write),
    rows: rows(),
    columns: columns.map(([[{ name }]]) => ({ name })),
    schema,
    rowGroupSize: rowsInGroup,
    createdBy: 'whisklens',
  })
  return count
}
