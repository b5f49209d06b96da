import { join } from 'node:path'
import { type BatchProgress, type Deployment, openDeployment, WhisklensError } from '../../src'
import { collect } from '../helpers/async'
import {
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'

/* The library against a deployment in the local mode. */

const samples = join(__dirname, '..', '..', 'samples')
let local: RunningLocal
let deployment: Deployment

beforeAll(async () => {
  local = await startLocalMode(await newDataDir())
  const { code } = await whisklens(['upload', samples, '--prefix', 'photos/', '--data', local.dataDir])
  expect(code).toBe(0)
  deployment = await openDeployment({ dataDir: local.dataDir })
})
afterAll(async () => {
  await local.stop()
  await removeDataDir(local.dataDir)
})

const force = { prefix: 'photos/', force: true }

describe('a batch of the library', () => {
  it('is started, followed with progress, and read', async () => {
    const batch = await deployment.startBatch({ ...force, batch: 'first', since: new Date(0), minSize: '1k' })
    expect(batch.id).toBe('first')
    const updates: BatchProgress[] = []
    const summary = await batch.wait({ onProgress: (progress) => updates.push(progress) })
    expect(summary).toMatchObject({ batch: 'first', state: 'complete', totals: { ok: 8, error: 0 } })
    expect(updates.at(-1)).toEqual({ done: 8, total: 8, errors: 0, isGrowing: false, running: 0, summary })
    expect(await batch.summary()).toEqual(summary)
    expect(await deployment.batches(1)).toMatchObject([{ batch: 'first', state: 'complete' }])

    const records = await collect(batch.records())
    const keys = records.map(({ key }) => key)
    expect(keys).toHaveLength(8)
    expect(keys).toEqual([...keys].sort())
    const cats = await collect(deployment.batch('first').records({ label: 'cat', minProbability: 0.3 }))
    expect(cats.map(({ key }) => key)).toEqual(['photos/cat.jpg'])
    expect(await collect(batch.records({ status: 'error' }))).toEqual([])
  })

  it('is cancelled, and resumed by a retry', async () => {
    const batch = await deployment.startBatch(force)
    expect(batch.id).toMatch(/^\d{8}-\d{6}-[0-9a-f]{6}$/)
    expect(['cancelled', 'complete']).toContain((await batch.cancel()).state)
    await batch.retry()
    expect(await batch.wait()).toMatchObject({ state: 'complete', totals: { ok: 8 } })
    expect(await deployment.batch(batch.id).wait()).toMatchObject({ state: 'complete' })
  })

  it('continues when the wait for it is aborted', async () => {
    const batch = await deployment.startBatch(force)
    await expect(batch.wait({ signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ name: 'AbortError' })
    expect(await batch.wait()).toMatchObject({ state: 'complete' })
  })
})

describe('a deployment refuses', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    [
      'a parameter that does not exist',
      () => deployment.startBatch({ prefixes: '' } as never),
      'bad_parameter',
    ],
    ['a size that is none', () => deployment.startBatch({ minSize: 'small' }), 'bad_parameter'],
    ['an id that no batch can have', async () => deployment.batch('../x'), 'bad_parameter'],
    [
      'a filter that does not exist',
      () => collect(deployment.batch('b').records({ lable: '' } as never)),
      'bad_parameter',
    ],
    [
      'a probability over 1',
      () => collect(deployment.batch('b').records({ minProbability: 2 })),
      'bad_parameter',
    ],
    ['to cancel a day of uploads', () => deployment.batch('uploads-2026-11-22').cancel(), 'bad_parameter'],
    ['to read what does not exist', () => collect(deployment.batch('none').records()), 'batch_not_found'],
    ['to cancel what does not exist', () => deployment.batch('none').cancel(), 'batch_not_found'],
  ])('%s', async (_, act, code) => {
    const thrown = await act().catch((error: WhisklensError) => error)
    expect(thrown).toBeInstanceOf(WhisklensError)
    expect(thrown).toMatchObject({ code })
  })

  it('a data folder without a local mode', async () => {
    await expect(openDeployment({ dataDir: join(local.dataDir, 'none') })).rejects.toMatchObject({
      code: 'not_configured',
    })
  })
})
