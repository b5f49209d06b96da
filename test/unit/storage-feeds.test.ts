import {
  deleteRegistration,
  listRegistrations,
  type Registration,
  readRegistration,
  saveRegistration,
} from '../../src/storage/feeds'
import type { Bucket } from '../../src/storage/store'
import { startTestStore, type TestStore } from './batch-fixtures'

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

describe('the registration of a trigger that watches a bucket', () => {
  it('reads back as it was saved', async () => {
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

  it('of each namespace lies apart', async () => {
    for (const trigger of ['/guest/t', '/other/t', '/guest/a t'])
      await saveRegistration(results, registration(trigger))
    expect((await listRegistrations(results)).map(({ trigger }) => trigger)).toEqual([
      '/guest/a t',
      '/guest/t',
      '/other/t',
    ])
  })

  it('is passed over when it is deleted while all are listed', async () => {
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
