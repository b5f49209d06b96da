import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { writeParquet } from '../../src/batch/reports/parquet'
import type { ImageRecord } from '../../src/schema'
import { anyKey, errorRecord, from, okRecord, tabby } from './batch-fixtures'

/** The file as written, and its size after each write. */
async function written(records: AsyncIterable<ImageRecord>) {
  const chunks: Buffer[] = []
  const count = await writeParquet(records, async (bytes) => chunks.push(Buffer.from(bytes)))
  const file = new Uint8Array(Buffer.concat(chunks)).buffer
  return { count, file, chunks: chunks.length }
}

const read = async (records: ImageRecord[]) => {
  const { count, file } = await written(from(records))
  expect(count).toBe(records.length)
  return parquetReadObjects({ file })
}

/** The expected row of a record, built independently of the writer. */
const rowOf = (record: ImageRecord) => {
  const [top] = record.labels
  const { bucket, key, status, labels, width, height, format, etag, model, engine, timings } = record
  return {
    ...{ bucket, key, status, labels, width, height, format, etag, model, engine },
    label: top?.label ?? null,
    className: top?.className ?? null,
    wordnetId: top?.wordnetId ?? null,
    probability: top?.probability ?? null,
    error: record.error?.code ?? null,
    size: record.size === null ? null : BigInt(record.size),
    takenAt: record.exif?.takenAt ? new Date(`${record.exif.takenAt.slice(0, 19)}Z`) : null,
    camera: record.exif?.camera ?? null,
    latitude: record.exif?.position?.latitude ?? null,
    longitude: record.exif?.position?.longitude ?? null,
    lastModified: record.lastModified === null ? null : new Date(record.lastModified),
    at: new Date(record.at),
    downloadMs: timings.download,
    decodeMs: timings.decode,
    inferMs: timings.infer,
  }
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const time = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999') })
  .map((d) => d.toISOString())
const probability = fc.double({ min: 0, max: 1, noNaN: true })

const anyExif = fc.record(
  {
    takenAt: fc
      .tuple(time, fc.constantFrom('', '+02:00', '-11:30'))
      .map(([text, offset]) => text.slice(0, 19) + offset),
    camera: anyKey,
    position: fc.record({
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    }),
  },
  { requiredKeys: [] },
)

const anyRecord: fc.Arbitrary<ImageRecord> = fc
  .record({
    bucket: anyKey,
    etag: optional(fc.string()),
    size: optional(fc.maxSafeNat()),
    lastModified: optional(time),
    width: optional(fc.integer({ min: 1, max: 1 << 30 })),
    format: optional(fc.constantFrom('jpeg', 'png')),
    labels: fc.array(
      fc.record({ label: anyKey, probability }).map((label) => ({ ...tabby, ...label })),
      { maxLength: 5 },
    ),
    at: time,
    exif: fc.option(anyExif, { nil: undefined }),
  })
  .chain((changes) =>
    fc
      .tuple(anyKey, fc.boolean())
      .map(([key, ok]) => (ok ? okRecord(key, changes) : errorRecord(key, {}, changes))),
  )

describe('records as Parquet', () => {
  it('have every column', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { maxLength: 20 }), async (records) => {
        expect(await read(records)).toEqual(records.map(rowOf))
      }),
    )
  })

  it('have columns even when empty', async () => {
    const { file } = await written(from([]))
    const { schema, num_rows } = parquetMetadata(file)
    expect(num_rows).toBe(0n)
    expect(schema.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(rowOf(okRecord('a')))))
  })

  it('have no time for an invalid one', async () => {
    expect(await read([okRecord('a', { lastModified: 'yesterday' })])).toMatchObject([{ lastModified: null }])
  })

  it('are written in groups as these fill up', async () => {
    let taken = 0
    let takenAtFirst = 0
    async function* many() {
      for (; taken < 25_000; taken++) yield okRecord(`${taken}`)
    }
    const chunks: Buffer[] = []
    await writeParquet(many(), async (bytes) => {
      takenAtFirst ||= taken
      chunks.push(Buffer.from(bytes))
    })
    expect(takenAtFirst).toBeLessThanOrEqual(10_000)
    const file = new Uint8Array(Buffer.concat(chunks)).buffer
    expect(parquetMetadata(file).row_groups.map(({ num_rows }) => num_rows)).toEqual([
      10_000n,
      10_000n,
      5_000n,
    ])
    const [last] = await parquetReadObjects({ file, rowStart: 24_999, rowEnd: 25_000 })
    expect(last).toMatchObject({ key: '24999' })
  })
})
