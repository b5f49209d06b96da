import {
  deleteRegistration,
  listRegistrations,
  type Registration,
  readRegistration,
  recallRegistration,
  saveRegistration,
} from '../../src/storage/feeds'
import type { Bucket } from '../../src/storage/store'
import { advanceClock, collect, minutes, setClock, startTestStore, type TestStore } from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})

const registration = (trigger: string): Registration => ({
  trigger,
  bucket: 'photos',
  prefix: 'x/',
  paused: false,
  minutes: 0,
  settle: 120,
  createdAt: '2026-11-22T08:00:00.000Z',
})

describe('the registration of a trigger for a bucket', () => {
  it('is read back as saved', async () => {
    expect(await readRegistration(results, '/guest/image-uploaded')).toBeUndefined()
    await saveRegistration(results, registration('/guest/image-uploaded'))
    expect(await readRegistration(results, '/guest/image-uploaded')).toEqual(
      registration('/guest/image-uploaded'),
    )
  })

  it('replaces an earlier one of the same trigger', async () => {
    await saveRegistration(results, registration('/guest/t'))
    await saveRegistration(results, { ...registration('/guest/t'), paused: true })
    expect(await listRegistrations(results)).toEqual([{ ...registration('/guest/t'), paused: true }])
  })

  it('may be deleted twice, for feeds must survive orphans', async () => {
    await saveRegistration(results, registration('/guest/t'))
    await deleteRegistration(results, '/guest/t')
    await deleteRegistration(results, '/guest/t')
    expect(await listRegistrations(results)).toEqual([])
  })

  it('is remembered for a week after it was deleted, and then removed', async () => {
    setClock('2026-11-22T08:00:00Z')
    await saveRegistration(results, registration('/guest/t'))
    await deleteRegistration(results, '/guest/t')
    advanceClock(minutes(7 * 24 * 60 - 1))
    expect(await readRegistration(results, '/guest/t')).toBeUndefined()
    expect(await listRegistrations(results)).toEqual([])
    expect(await recallRegistration(results, '/guest/t')).toEqual(registration('/guest/t'))
    advanceClock(minutes(2))
    expect(await recallRegistration(results, '/guest/t')).toBeUndefined()
    expect(await listRegistrations(results)).toEqual([])
    expect(await collect(results.list())).toEqual([])
    jest.useRealTimers()
  })

  it('is not removed based on an older version, even if it was just created again', async () => {
    const seen = registration('/guest/t')
    const newer = { ...seen, createdAt: '2026-11-22T09:00:00.000Z' }
    await saveRegistration(results, newer)
    await deleteRegistration(results, '/guest/t', seen)
    expect(await readRegistration(results, '/guest/t')).toEqual(newer)
    await saveRegistration(results, seen)
    const slow: Bucket = {
      ...results,
      put: async (...write) => {
        await saveRegistration(results, newer)
        return results.put(...write)
      },
    }
    await deleteRegistration(slow, '/guest/t', seen)
    expect(await readRegistration(results, '/guest/t')).toEqual(newer)
  })

  it('is separate for each namespace', async () => {
    for (const trigger of ['/guest/t', '/other/t', '/guest/a t'])
      await saveRegistration(results, registration(trigger))
    expect((await listRegistrations(results)).map(({ trigger }) => trigger)).toEqual([
      '/guest/a t',
      '/guest/t',
      '/other/t',
    ])
  })

  it('is skipped if it is deleted while being listed', async () => {
    await saveRegistration(results, registration('/guest/t'))
    await saveRegistration(results, registration('/guest/u'))
    const deleting: Bucket = {
      ...results,
      find: async (key) => {
        await deleteRegistration(results, '/guest/u')
        return results.find(key)
      },
    }
    expect(await listRegistrations(deleting)).toEqual([registration('/guest/t')])
  })
})
