import { ByteWriter, parquetWriteRows, type SchemaElement } from 'hyparquet-writer'
import { msOf } from '../../clock'
import type { ImageRecord } from '../../schema'
import { type Column, type ColumnType, columns } from './columns'

/** Rows buffered and written as one row group. */
const rowsInGroup = 10_000

const timestamp = (isAdjustedToUTC: boolean) => ({
  type: 'INT64' as const,
  // Converted types exist only for UTC.
  ...(isAdjustedToUTC && { converted_type: 'TIMESTAMP_MILLIS' as const }),
  logical_type: { type: 'TIMESTAMP' as const, isAdjustedToUTC, unit: 'MILLIS' as const },
})

const types = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT32' },
  bytes: { type: 'INT64' },
  number: { type: 'DOUBLE' },
  time: timestamp(true),
  localTime: timestamp(false),
} satisfies Record<Exclude<ColumnType, 'labels'>, Omit<SchemaElement, 'name'>>

/** How a column's values are stored, for people. */
export const parquetTypeOf = (type: ColumnType): string => {
  if (type === 'labels') return 'LIST'
  if (type === 'time' || type === 'localTime')
    return `TIMESTAMP(MILLIS, ${type === 'time' ? 'UTC' : 'local'})`
  return type === 'text' ? 'STRING' : types[type].type
}

const element = (name: string, type: keyof typeof types, isRequired = true): SchemaElement => ({
  name,
  ...types[type],
  repetition_type: isRequired ? 'REQUIRED' : 'OPTIONAL',
})

/** A list of structs. */
const labelElements = (name: string): SchemaElement[] => [
  { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', num_children: 5 },
  element('label', 'text'),
  element('className', 'text'),
  element('wordnetId', 'text'),
  element('index', 'integer'),
  element('probability', 'number'),
]

const elementsOf = ({ name, type, isRequired }: Column): SchemaElement[] =>
  type === 'labels' ? labelElements(name) : [element(name, type, isRequired)]

const schema: SchemaElement[] = [
  { name: 'record', num_children: columns.length },
  ...columns.flatMap(elementsOf),
]

/** A cell in the writer's representation. */
function cellOf({ type, of }: Column, record: ImageRecord): unknown {
  const value = of(record)
  if (value === null) return null
  if (type === 'bytes') return BigInt(value as number)
  if (type === 'time') return BigInt(msOf(value as string))
  return type === 'localTime' ? BigInt(msOf(`${value}Z`)) : value
}

/** Passes each row group on and waits until it is written. */
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
 * Writes records as Apache Parquet in bounded memory.
 * @param write writes the next bytes; their buffer is reused once it resolves
 * @returns the number of records
 */
export async function writeParquet(
  records: AsyncIterable<ImageRecord> | Iterable<ImageRecord>,
  write: (bytes: Uint8Array) => Promise<unknown>,
): Promise<number> {
  let count = 0
  async function* rows() {
    for await (const record of records) {
      count++
      yield Object.fromEntries(columns.map((column) => [column.name, cellOf(column, record)]))
    }
  }
  await parquetWriteRows({
    writer: new GroupWriter(write),
    rows: rows(),
    columns: columns.map(({ name }) => ({ name })),
    schema,
    rowGroupSize: rowsInGroup,
    createdBy: 'whisklens',
  })
  return count
}
