import { acquire } from '../../src/batch/state/acquire'
import { readBatch } from '../../src/batch/state/batch'
import { batchOf, listing, saveBatch, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner
const listed = jest.fn()

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  listed.mockClear()
  runner = await newRunner(objects)
  await runner.photos.put('a', 'v1')
  await saveBatch(runner.results, batchOf(runner.photos.name))
  // Each activation dies when it begins to list the images.
  const deadly = listing(runner.photos, () => {
    listed()
    throw new Error('It died')
  })
  runner.store = {
    bucket: (name) => (name === runner.photos.name ? deadly : objects.store.bucket(name)),
  }
})

describe('a cancel', () => {
  it('ends a batch whose planning kills each activation, without planning', async () => {
    // The previous holder died; its lease has yet to expire.
    await acquire(runner.context({ id: 'dead' }), 'b1', { isWorker: false })
    expect(await runner.start({ batch: 'b1', cancel: true })).toMatchObject({ state: 'cancelled' })
    expect(listed).not.toHaveBeenCalled()
  })

  it('ends the batch in any activation that advances it', async () => {
    const found = await readBatch(runner.results, 'b1')
    if (found) await saveBatch(runner.results, { ...found, cancelRequested: true })
    expect(await runner.start({ advance: 'b1' })).toMatchObject({ state: 'cancelled' })
    expect(listed).not.toHaveBeenCalled()
  })

  it('of an ended run does not affect the next', async () => {
    await runner.start({ batch: 'b1', cancel: true })
    runner.store = objects.store
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 1 } })
    await runner.start({ batch: 'b1', cancel: true })
    expect(await runner.start({ batch: 'b1', force: true })).toMatchObject({ state: 'complete' })
  })
})
