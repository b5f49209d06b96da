import { readChunk, writeChunk } from '../../src/batch/chunk/parts'
import { chunkKey, leaseKey, planKey, summaryKey } from '../../src/batch/layout'
import { newestBatches } from '../../src/batch/results/newest'
import { acquireLease, leaseTime } from '../../src/batch/run/lease'
import { progressOf } from '../../src/batch/summary/progress'
import { readSummary, writeSummary } from '../../src/batch/summary/summary-object'
import type { ImageRef } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { advanceClock, planOf, setClock, startTestStore, type TestStore, watched } from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

const images = (...keys: string[]): ImageRef[] => keys.map((key) => ({ bucket: 'photos', key }))
const chunk = { start: 0, end: 2 }
const stored = async (): Promise<string[]> => (await readChunk(results, 'b1', chunk)).map(({ key }) => key)

const yes = async () => true
const no = async () => false

describe('a chunk that is there already', () => {
  it('stays as it is for the same images, whoever asks', async () => {
    await writeChunk(results, 'b1', 0, images('a', 'b'), yes)
    const before = await results.head(chunkKey('b1', chunk))
    await writeChunk(results, 'b1', 0, images('a', 'b'), no)
    expect(await results.head(chunkKey('b1', chunk))).toEqual(before)
  })

  it('is replaced by the activation in charge', async () => {
    await writeChunk(results, 'b1', 0, images('a', 'b'), yes)
    await writeChunk(results, 'b1', 0, images('a', 'c'), yes)
    expect(await stored()).toEqual(['a', 'c'])
  })

  it('is not replaced by one that has been superseded', async () => {
    const first = await acquireLease(results, 'b1', 'a1')
    advanceClock(leaseTime)
    const second = await acquireLease(results, 'b1', 'a2')
    await writeChunk(results, 'b1', 0, images('a', 'b'), second?.renew)
    await expect(writeChunk(results, 'b1', 0, images('x', 'y'), first?.renew)).rejects.toMatchObject({
      code: 'batch_taken_over',
    })
    expect(await stored()).toEqual(['a', 'b'])
  })

  it('is not replaced by one that is superseded in that very moment', async () => {
    await writeChunk(results, 'b1', 0, images('old', 'chunk'), yes)
    const successor = async (): Promise<boolean> => {
      await writeChunk(results, 'b1', 0, images('a', 'b'), yes)
      return true
    }
    const late = writeChunk(results, 'b1', 0, images('x', 'y'), successor)
    await expect(late).rejects.toMatchObject({ code: 'batch_taken_over' })
    expect(await stored()).toEqual(['a', 'b'])
  })
})

describe('a lease', () => {
  it('that two of one activation renew at once is not taken for lost', async () => {
    const lease = await acquireLease(results, 'b1', 'a1')
    advanceClock(leaseTime / 2)
    let turn = 0
    // Each reads another time, as they do where time goes on.
    const slow = watched(results, ({ method }) => {
      if (method === 'put') advanceClock(++turn)
    })
    const own = await acquireLease(slow, 'b2', 'a1')
    advanceClock(leaseTime / 2)
    expect(await Promise.all([own?.renew(), own?.renew(), lease?.renew()])).toEqual([true, true, true])
  })
})

describe('what cannot be read', () => {
  it('of one batch is left out of the list of all', async () => {
    for (const batch of ['b1', 'b2']) await writeSummary(results, { ...progressOf(planOf('photos')), batch })
    await results.put(summaryKey('b1'), '{"schema": "of another time"}')
    expect((await newestBatches(results)).map(({ batch }) => batch)).toEqual(['b2'])
    expect(await readSummary(results, 'b1')).toBeUndefined()
  })

  it('is written anew, whatever was to be kept', async () => {
    await results.put(summaryKey('b1'), 'not JSON')
    const summary = { ...progressOf(planOf('photos')), batch: 'b1' }
    expect(await writeSummary(results, summary, () => false)).toBe(true)
    expect(await readSummary(results, 'b1')).toEqual(summary)
  })

  it('as a lease or a plan fails its own batch alone', async () => {
    await results.put(leaseKey('b1'), '{}')
    await results.put(planKey('b1'), '{}')
    await expect(acquireLease(results, 'b1', 'a1')).rejects.toThrow()
    expect(await acquireLease(results, 'b2', 'a1')).toBeDefined()
  })
})
