import { acquireLease } from '../../src/batch/lease'
import type { Bucket } from '../../src/storage/store'
import { advanceClock, minutes, setClock, startTestStore, type TestStore } from './batch-fixtures'

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

const acquire = (activationId: string, bucket = results) =>
  acquireLease(bucket, 'b1', { activationId, until: Date.now() + minutes(5) })

describe('the lease of a batch', () => {
  it('goes to one of many that ask at once', async () => {
    const leases = await Promise.all(Array.from({ length: 12 }, (_, number) => acquire(`a${number}`)))
    expect(leases.filter((release) => release)).toHaveLength(1)
  })

  it('is held against everybody else until it expires', async () => {
    expect(await acquire('a1')).toBeDefined()
    advanceClock(minutes(5) - 1)
    expect(await acquire('a2')).toBeUndefined()
  })

  it('is taken over by one of many once it has expired', async () => {
    await acquire('a1')
    advanceClock(minutes(5))
    const leases = await Promise.all(Array.from({ length: 12 }, (_, number) => acquire(`b${number}`)))
    expect(leases.filter((release) => release)).toHaveLength(1)
  })

  it('is free again when it was given back', async () => {
    const release = await acquire('a1')
    await release?.()
    expect(await acquire('a2')).toBeDefined()
  })

  it('is not taken from its next holder by one who gives it back too late or twice', async () => {
    const release = await acquire('a1')
    advanceClock(minutes(6))
    expect(await acquire('a2')).toBeDefined()
    await release?.()
    await release?.()
    expect(await acquire('a3')).toBeUndefined()
  })

  it('belongs to one batch', async () => {
    await acquire('a1')
    expect(await acquireLease(results, 'b2', { activationId: 'a2', until: Date.now() + 1000 })).toBeDefined()
  })

  it('is held when the store wrote it and the answer was lost, so that the request was sent again', async () => {
    const retrying: Bucket = {
      ...results,
      put: async (...args) => {
        await results.put(...args)
        return results.put(...args)
      },
    }
    const release = await acquire('a1', retrying)
    expect(release).toBeDefined()
    await release?.()
    expect(await acquire('a2')).toBeDefined()
  })
})
