import { reconcile } from '../../src/batch/running/reconcile'
import { documentKey, openKey } from '../../src/batch/state/layout'
import { today } from '../../src/batch/uploads/day'
import { isoOf } from '../../src/clock'
import { saveRegistration } from '../../src/storage/feeds'
import type { Bucket } from '../../src/storage/store'
import { batchOf, minutes, saveBatch, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
  const { store } = runner
  runner.store = { ...store, bucket: (name) => later(store.bucket(name), 1) }
})

/** A bucket whose objects were written some minutes ago, by its own clock. */
const later = (bucket: Bucket, passed: number): Bucket => ({
  ...bucket,
  find: async (key) => {
    const found = await bucket.find(key)
    return found && { ...found, servedAt: found.servedAt + minutes(passed) }
  },
})

/** A batch whose holder has died. */
async function orphan(batch: string): Promise<void> {
  const open = batchOf(runner.photos.name, {}, { batch })
  await saveBatch(runner.results, {
    ...open,
    lease: { ...open.lease, holder: 'dead', epoch: 1 },
  })
  await runner.results.put(openKey(batch, 1), '')
}

describe('reconciling', () => {
  const watch = (paused: boolean) =>
    saveRegistration(runner.results, {
      trigger: '/guest/image-uploaded',
      bucket: runner.photos.name,
      prefix: '',
      paused,
      minutes: 0,
      settle: 0,
      createdAt: isoOf(runner.clock.now()),
    })

  it('scans the watched buckets for uploads without notification', async () => {
    await watch(true)
    expect(await reconcile(runner.context())).toEqual({ resumed: [] })
    await watch(false)
    const day = today(runner)
    expect(await reconcile(runner.context())).toEqual({ resumed: [], batch: day })
    expect(runner.invoked).toEqual([{ name: '/guest/whisklens/start-batch', params: { advance: day } }])
  })

  it('resumes each batch without a live lease, and returns their ids', async () => {
    await orphan('b1')
    await orphan('b3')
    expect(await reconcile(runner.context())).toEqual({ resumed: ['b1', 'b3'] })
    expect(runner.invoked).toEqual([
      { name: '/guest/whisklens/start-batch', params: { advance: 'b1' } },
      { name: '/guest/whisklens/start-batch', params: { advance: 'b3' } },
    ])
  })

  it('drops the entry of a fire that died before writing the batch, by the store’s clock alone', async () => {
    const { store, results } = runner
    // In addition to the minute that has passed already.
    const context = (passed: number) => ({
      ...runner.context(),
      results: later(store.bucket(results.name), passed),
      // By the clock of an activation that is ahead: another one is about to write the batch.
      clock: { ...runner.clock, now: () => runner.clock.now() + minutes(5) },
    })
    await results.put(openKey('b9', 1), '')
    await reconcile(context(-0.5))
    expect(await results.head(openKey('b9', 1))).toBeDefined()
    await reconcile(context(0.5))
    expect(await results.head(openKey('b9', 1))).toBeUndefined()
  })

  it('skips a batch with unreadable state', async () => {
    await orphan('b1')
    await orphan('b2')
    await orphan('b3')
    await runner.results.put(documentKey('b2'), '{')
    expect(await reconcile(runner.context())).toEqual({ resumed: ['b1', 'b3'] })
  })
})
