import fc from 'fast-check'
import { chunksFrom, readChunk, writeChunk } from '../../src/batch/records/chunks'
import { fromJsonLines, toJsonLines } from '../../src/batch/records/json-lines'
import { listParts, type PartPosition, recordsInOrder, writePart } from '../../src/batch/records/parts'
import { chunkKey, partKey } from '../../src/batch/state/layout'
import type { ImageRecord } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  anyKey,
  batchOf,
  collect,
  counted,
  errorRecord,
  inBytes,
  okRecord,
  startTestStore,
  type TestStore,
} from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})

/** Records of positions `start` to `end` that name their writer. */
const piece = (start: number, end: number, activationId: string): ImageRecord[] =>
  Array.from({ length: end - start }, (_, index) => okRecord(`key-${start + index}`, { activationId }))

async function write(start: number, end: number, activationId: string): Promise<string> {
  await writePart(results, 'b1', start, piece(start, end, activationId), activationId)
  return partKey('b1', { start, end, errors: 0 }, activationId)
}

const read = async (batch: string, start: number, end: number, from?: PartPosition) =>
  (await collect(recordsInOrder(results, batch, { start, end }, from))).flatMap(({ records }) =>
    records.map(({ key, activationId }) => [key, activationId]),
  )

const who = (start: number, end: number) => read('b1', start, end)

describe('JSON lines', () => {
  it('round-trip for any keys', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyKey, fc.string())), (keys) => {
        const records = keys.map((key) => okRecord(key))
        const text = toJsonLines(records)
        expect(text.split('\n')).toHaveLength(keys.length + 1)
        expect(fromJsonLines(Buffer.from(text))).toEqual(records)
      }),
    )
  })
})

describe('a part', () => {
  it('has its positions and number of errors in its name', async () => {
    await writePart(results, 'b1', 7, [okRecord('a'), errorRecord('b')], 'a1')
    const key = partKey('b1', { start: 7, end: 9, errors: 1 }, 'a1')
    expect(await collect(listParts(results, 'b1'))).toEqual([{ key, start: 7, end: 9, errors: 1 }])
  })

  it('is the same object when its activation writes it again', async () => {
    await write(0, 3, 'a1')
    await write(0, 3, 'a1')
    expect(await collect(listParts(results, 'b1'))).toHaveLength(1)
  })

  it('does not replace those of other activations', async () => {
    await write(0, 3, 'a1')
    await write(0, 3, 'a2')
    expect(await collect(listParts(results, 'b1'))).toHaveLength(2)
  })

  it('is listed from a position on', async () => {
    for (const start of [0, 4, 8]) await write(start, start + 4, 'a1')
    const starts = async (from: number) =>
      (await collect(listParts(results, 'b1', from))).map(({ start }) => start)
    expect(await starts(0)).toEqual([0, 4, 8])
    expect(await starts(4)).toEqual([4, 8])
    expect(await starts(5)).toEqual([8])
    expect(await starts(9)).toEqual([])
  })

  it('is not confused with one of a batch with a similar id', async () => {
    await write(0, 3, 'a1')
    await writePart(results, 'b11', 0, piece(0, 5, 'a1'), 'a1')
    expect((await collect(listParts(results, 'b1'))).map(({ end }) => end)).toEqual([3])
  })
})

describe('the records of a batch’s parts', () => {
  it('are in the order of positions, whenever a part was written', async () => {
    await write(4, 6, 'a1')
    await write(2, 4, 'a2')
    await write(0, 2, 'a3')
    expect((await who(0, 6)).map(([key]) => key)).toEqual([0, 1, 2, 3, 4, 5].map((number) => `key-${number}`))
  })

  it('come from the first name where parts overlap', async () => {
    await write(0, 4, 'a1')
    await write(2, 6, 'a2')
    await write(2, 3, 'a3')
    expect(await who(0, 6)).toEqual([
      ['key-0', 'a1'],
      ['key-1', 'a1'],
      ['key-2', 'a1'],
      ['key-3', 'a1'],
      ['key-4', 'a2'],
      ['key-5', 'a2'],
    ])
  })

  it('are those of the requested positions', async () => {
    for (const start of [0, 2, 4]) await write(start, start + 2, 'a1')
    expect((await who(2, 4)).map(([key]) => key)).toEqual(['key-2', 'key-3'])
  })

  it('have each position once, by the first name, for any overlaps', async () => {
    const parts = fc.array(
      fc.tuple(fc.nat(11), fc.integer({ min: 1, max: 6 }), fc.constantFrom('a1', 'a2', 'a3')),
      { minLength: 1, maxLength: 7 },
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(parts, async (pieces) => {
        const batch = `any-${++run}`
        const written = pieces.map(([start, length, id]) => ({ start, end: start + length, id }))
        for (const { start, end, id } of written)
          await writePart(results, batch, start, piece(start, end, id), id)
        const byName = written
          .map((part) => ({ ...part, name: partKey(batch, { ...part, errors: 0 }, part.id) }))
          .sort((a, b) => inBytes(a.name, b.name))
        const naive = Array.from({ length: 18 }, (_, at) => {
          const holder = byName.find(({ start, end }) => start <= at && at < end)
          return holder ? [[`key-${at}`, holder.id]] : []
        }).flat()
        expect(await read(batch, 0, 18)).toEqual(naive)
        // The same from any position, given its part.
        let before = 0
        for (const { part, start, records } of await collect(
          recordsInOrder(results, batch, { start: 0, end: 18 }),
        )) {
          for (const done of records.keys())
            expect(await read(batch, 0, 18, { part, next: start + done })).toEqual(naive.slice(before + done))
          before += records.length
        }
      }),
      { numRuns: 30 },
    )
  })

  it('resume in the part in use, even if an earlier name has appeared since', async () => {
    const part = await write(0, 4, 'a2')
    await write(4, 6, 'a2')
    await write(0, 4, 'a1')
    expect(await read('b1', 0, 6, { part, next: 2 })).toEqual([
      ['key-2', 'a2'],
      ['key-3', 'a2'],
      ['key-4', 'a2'],
      ['key-5', 'a2'],
    ])
  })

  it('are read only from the parts needed', async () => {
    const needed = [await write(0, 4, 'a1'), await write(2, 6, 'a2'), await write(6, 8, 'a1')]
    await write(0, 4, 'a2')
    await write(2, 3, 'a3')
    await write(8, 9, 'a1')
    const { bucket, requests } = counted(results)
    await collect(recordsInOrder(bucket, 'b1', { start: 0, end: 8 }))
    expect(requests.filter(({ method }) => method === 'get').map(({ key }) => key)).toEqual(needed)
  })

  it('come with the usage of their activation, if recorded', async () => {
    const usage = { classifyMs: 1200, aggregateMs: 80, container: 'c1' }
    await writePart(results, 'b1', 0, piece(0, 2, 'a1'), 'a1', usage)
    await write(2, 4, 'a1')
    const pieces = await collect(recordsInOrder(results, 'b1', { start: 0, end: 4 }))
    expect(pieces.map((one) => one.usage)).toEqual([usage, undefined])
  })
})

describe('a chunk', () => {
  it('round-trips', async () => {
    const images = [
      { bucket: 'photos', key: '😀 a+b%.jpg', etag: 'v1', size: 0, lastModified: '2026-11-22T07:00:00.000Z' },
      { bucket: 'photos', key: 'line\nbreak\u2028"quote".jpg' },
    ]
    const chunk = { start: 50, end: 52, epoch: 1 }
    await writeChunk(results, 'b1', chunk, images)
    expect(await results.head(chunkKey('b1', chunk))).toBeDefined()
    expect(await readChunk(results, 'b1', chunk)).toEqual(images)
  })

  it('is an error if missing', async () => {
    await expect(readChunk(results, 'b1', { start: 0, end: 9, epoch: 1 })).rejects.toMatchObject({
      code: 'object_not_found',
    })
  })

  it('counts only if published', async () => {
    const chunks = [
      { start: 0, end: 2, epoch: 1 },
      { start: 2, end: 4, epoch: 1 },
      // Superseded before publication.
      { start: 4, end: 7, epoch: 1 },
      { start: 7, end: 8, epoch: 1 },
      { start: 4, end: 6, epoch: 2 },
      { start: 6, end: 8, epoch: 2 },
      // Not published yet.
      { start: 8, end: 9, epoch: 2 },
    ]
    for (const chunk of chunks) await writeChunk(results, 'b1', chunk, [])
    const { plan } = batchOf('photos', {}, { plan: { planned: 8 } })
    const published = [chunks[0], chunks[1], chunks[4], chunks[5]]
    expect(await chunksFrom(results, 'b1', plan, 0, 10)).toEqual(published)
    expect(await chunksFrom(results, 'b1', plan, 2, 2)).toEqual(published.slice(1, 3))
  })
})
