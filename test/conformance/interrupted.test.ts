import pLimit from 'p-limit'
import { type BatchSummary, isClosed } from '../../src/schema'
import { eventually } from '../helpers/local-mode'
import { needs } from '../helpers/needs'
import { photo } from '../helpers/photos'
import { type Deployment, openDeployment } from './deployment'
import { otherBuild } from './other-build'
import { type RevocableStore, startRevocableStore } from './revocable'
import { openTarget, type Target } from './target'
import { untilNextMinute } from './wsk'

/*
 * Operations while a batch runs: keys are revoked and restored, new code and a new model deployed. Batches have more
 * chunks than the platform's invocations per minute, so that work is certain to be left. Reduced unless WHISKLENS_FULL
 * is set.
 */

const isFull = process.env.WHISKLENS_FULL !== undefined
const images = isFull ? 150 : 70
const deployedImages = 300
const patience = 1_200_000
const hasOwnStore = process.env.WHISKLENS_S3_ENDPOINT === undefined
const long = needs(!isFull && 'only at full size, WHISKLENS_FULL=1')
const revocable = needs(!hasOwnStore && 'it needs a store whose keys it may revoke')

let target: Target
let store: RevocableStore | undefined
let deployment: Deployment

const keyOf = (prefix: string, number: number): string => `${prefix}${String(number).padStart(4, '0')}.jpg`

beforeAll(async () => {
  target = await openTarget(async (buckets, closers) => {
    store = await startRevocableStore(buckets)
    closers.push(store.close)
    return store
  })
  await store?.grant(['imagesBucket', 'resultsBucket'])
  deployment = openDeployment(target, 'manifest.stock.yaml')
  await deployment.deploy()
  await deployment.stopPolls()
}, patience)
afterAll(async () => {
  await deployment.undeploy()
  await target.close()
})

async function upload(prefix: string, count: number): Promise<void> {
  const limit = pLimit(8)
  const put = async (number: number) => deployment.upload(keyOf(prefix, number), await photo(number))
  await Promise.all(Array.from({ length: count }, (_, number) => limit(put, number)))
}

const reaches = (batch: string, what: string, isWanted: (summary: BatchSummary) => boolean) =>
  eventually(
    async () => {
      const summary = await deployment.summaryOf(batch)
      return summary !== null && isWanted(summary) && summary
    },
    `batch ${batch}: ${what}`,
    patience,
  )

const paramsOf = (batch: string, prefix: string) => ({ batch, prefix, force: 'true', chunkSize: '1' })

/** Fires a batch over a prefix, and waits until a third of its images has reported. */
async function begin(batch: string, prefix: string, count: number): Promise<void> {
  await upload(prefix, count)
  // The batch takes longer than the whole minute.
  await untilNextMinute()
  await deployment.request(paramsOf(batch, prefix))
  await reaches(batch, 'a third', ({ totals }) => totals.ok >= count * 0.3)
}

/** Expects one record per image in the results, and no errors. */
async function expectEachOnce(batch: string, prefix: string, count: number): Promise<void> {
  const totals = { planned: count, ok: count, error: 0, pending: 0 }
  expect(await reaches(batch, 'its end', ({ state }) => state === 'complete')).toMatchObject({ totals })
  const keys = (await deployment.outcomes(batch)).map(({ key }) => key)
  expect(keys).toEqual(Array.from({ length: count }, (_, number) => keyOf(prefix, number)))
  expect(await deployment.outcomes(batch, 'errors.jsonl')).toEqual([])
}

/**
 * Number of repeated classifications in a batch: each writes a part, whose name starts with the number of its first
 * image.
 */
async function doubles(batch: string): Promise<number> {
  const parts = await deployment.keys(`batches/${batch}/parts/`)
  const starts = parts.map((key) => /\/parts\/(\d+)-/.exec(key)?.[1])
  return starts.length - new Set(starts).size
}

revocable.describe('keys that are revoked while a batch runs', () => {
  // Restores the grants if a test failed before doing so.
  afterEach(() => store?.grant(['imagesBucket', 'resultsBucket']))

  it('stops with a reason if images cannot be read, and resumes when fired again', async () => {
    const [batch, prefix] = ['unreadable', 'unreadable/']
    await begin(batch, prefix, images)
    await store?.grant(['resultsBucket'])
    const { state, reason, totals } = await reaches(batch, 'its end', ({ state }) => isClosed(state))
    expect({ state, reason }).toEqual({ state: 'stopped', reason: expect.stringContaining('access_denied') })
    expect(totals.error).toBe(0)
    expect(totals.ok).toBeLessThan(images)
    expect(await deployment.outcomes(batch, 'errors.jsonl')).toEqual([])
    process.stderr.write(`stopped after ${totals.ok} of ${images} images: ${reason}\n`)
    await store?.grant(['imagesBucket', 'resultsBucket'])
    await deployment.request(paramsOf(batch, prefix))
    await expectEachOnce(batch, prefix, images)
    expect(await doubles(batch)).toBe(0)
  })

  long.it(
    'end its activations with the reason where nothing can be written, and fired again it goes on',
    async () => {
      const [batch, prefix] = ['locked-out', 'locked-out/']
      await begin(batch, prefix, images)
      const since = Date.now()
      await store?.grant([])
      const query = { name: 'whisklens/start-batch', docs: true, limit: 200 }
      const failed = await eventually(
        async () => {
          const ended = (await deployment.ow.activations.list(query as never)) as unknown as {
            end?: number
            response: { success: boolean; result: { error?: unknown } }
          }[]
          return ended.find(({ end = 0, response }) => end > since && !response.success)?.response
        },
        'the end of the holder',
        patience,
      )
      expect(JSON.stringify(failed.result.error)).toContain('access_denied')
      await store?.grant(['imagesBucket', 'resultsBucket'])
      await deployment.request(paramsOf(batch, prefix))
      await expectEachOnce(batch, prefix, images)
    },
  )
})

long.describe('a deployment while a batch runs', () => {
  it('of another build with another model version classifies each image once', async () => {
    const [batch, prefix] = ['deployed', 'deployed/']
    const build = await otherBuild()
    try {
      await begin(batch, prefix, deployedImages)
      await openDeployment(target, build.manifest).deploy()
    } finally {
      await build.remove()
    }
    await expectEachOnce(batch, prefix, deployedImages)
    expect(await doubles(batch)).toBe(0)
    const versions = (await deployment.outcomes(batch)).map(({ model }) => model)
    expect(new Set(versions).size).toBe(2)
    const counts = [...new Set(versions)].map((one) => [
      one,
      versions.filter((other) => other === one).length,
    ])
    process.stderr.write(`deployed while it ran: ${JSON.stringify(Object.fromEntries(counts))}\n`)
  })
})
