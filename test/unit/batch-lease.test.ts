import { acquireLease, leaseTime, stateOfLease } from '../../src/batch/run/lease'
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

const acquire = (activationId: string, bucket = results) => acquireLease(bucket, 'b1', activationId)

describe('the lease of a batch', () => {
  it('goes to one of many that ask at once', async () => {
    const leases = await Promise.all(Array.from({ length: 12 }, (_, number) => acquire(`a${number}`)))
    expect(leases.filter((lease) => lease)).toHaveLength(1)
  })

  it('is held against everybody else until it expires', async () => {
    expect(await acquire('a1')).toBeDefined()
    advanceClock(leaseTime - 1)
    expect(await acquire('a2')).toBeUndefined()
  })

  it('is taken over by one of many once it has expired', async () => {
    await acquire('a1')
    advanceClock(leaseTime)
    const leases = await Promise.all(Array.from({ length: 12 }, (_, number) => acquire(`b${number}`)))
    expect(leases.filter((lease) => lease)).toHaveLength(1)
  })

  it('is free again when it was given back', async () => {
    const lease = await acquire('a1')
    await lease?.release()
    expect(await acquire('a2')).toBeDefined()
  })

  it('is not taken from its next holder by one who gives it back too late or twice', async () => {
    const lease = await acquire('a1')
    advanceClock(minutes(6))
    expect(await acquire('a2')).toBeDefined()
    await lease?.release()
    await lease?.release()
    expect(await acquire('a3')).toBeUndefined()
  })

  it('lasts as long as its holder renews it', async () => {
    const lease = await acquire('a1')
    for (let turn = 0; turn < 10; turn++) {
      advanceClock(leaseTime / 2)
      expect(await lease?.renew()).toBe(true)
    }
    expect(await acquire('a2')).toBeUndefined()
  })

  it('tells a holder that woke up too late that it was taken', async () => {
    const lease = await acquire('a1')
    advanceClock(leaseTime)
    await acquire('a2')
    expect(await lease?.renew()).toBe(false)
    expect(await lease?.renew()).toBe(false)
  })

  it('tells whether its holder died or gave it back', async () => {
    expect(await stateOfLease(results, 'b1')).toBe('free')
    const lease = await acquire('a1')
    expect(await stateOfLease(results, 'b1')).toBe('held')
    advanceClock(leaseTime)
    expect(await stateOfLease(results, 'b1')).toBe('died')
    await lease?.release()
    expect(await stateOfLease(results, 'b1')).toBe('free')
  })

  it('belongs to one batch', async () => {
    await acquire('a1')
    expect(await acquireLease(results, 'b2', 'a2')).toBeDefined()
  })

  it('is held when the store wrote it and the answer was lost, so that the request was sent again', async () => {
    const retrying: Bucket = {
      ...results,
      put: async (...args) => {
        await results.put(...args)
        return results.put(...args)
      },
    }
    const lease = await acquire('a1', retrying)
    expect(lease).toBeDefined()
    await lease?.release()
    expect(await acquire('a2')).toBeDefined()
  })
})
