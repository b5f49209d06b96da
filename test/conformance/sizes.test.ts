import pLimit from 'p-limit'
import { type BatchSummary, isClosed } from '../../src/schema'
import { eventually } from '../helpers/local-mode'
import { needs } from '../helpers/needs'
import { photo } from '../helpers/photos'
import { type Deployment, openDeployment } from './deployment'
import { openTarget, type Target } from './target'

/*
 * Batches that are large enough to reach a server's default limits: 60 invocations a minute, 30 concurrent. Reduced
 * unless WHISKLENS_FULL is set.
 */

const isFull = process.env.WHISKLENS_FULL !== undefined
const many = isFull ? 300 : 100
const some = isFull ? 60 : 30

let target: Target
let deployment: Deployment

const keyOf = (prefix: string, number: number): string => `${prefix}${String(number).padStart(4, '0')}.jpg`

async function upload(prefix: string, count: number, from = 0): Promise<void> {
  const limit = pLimit(8)
  const put = async (number: number) => deployment.upload(keyOf(prefix, number), await photo(from + number))
  await Promise.all(Array.from({ length: count }, (_, number) => limit(put, number)))
}

beforeAll(async () => {
  target = await openTarget()
  deployment = openDeployment(target, 'manifest.stock.yaml')
  await deployment.deploy()
})
afterAll(async () => {
  await deployment.undeploy()
  await target.close()
})

const closed = (batch: string, isWanted = (_: BatchSummary) => true): Promise<BatchSummary> =>
  eventually(
    async () => {
      const summary = await deployment.summaryOf(batch)
      return summary !== null && isClosed(summary.state) && isWanted(summary) && summary
    },
    `batch ${batch}`,
    1_200_000,
  )

/** Expects one record per image of a prefix in the results, and no others. */
async function expectEachOnce(batch: string, prefix: string, count: number): Promise<void> {
  const keys = (await deployment.outcomes(batch)).map(({ key }) => key)
  expect(keys).toEqual(Array.from({ length: count }, (_, number) => keyOf(prefix, number)))
}

describe('batches fired by a trigger', () => {
  it(`classifies ${some} images, skips them when fired again, and then classifies changed ones`, async () => {
    await upload('some/', some)
    const params = { prefix: 'some/' }
    await deployment.request({ batch: 'once', ...params })
    expect(await closed('once')).toMatchObject({
      state: 'complete',
      totals: { planned: some, ok: some, error: 0 },
    })
    await expectEachOnce('once', 'some/', some)
    await deployment.request({ batch: 'twice', ...params })
    expect(await closed('twice')).toMatchObject({ totals: { listed: some, planned: 0, skipped: some } })
    await upload('some/', 5, 1000)
    await deployment.request({ batch: 'thrice', ...params })
    expect(await closed('thrice')).toMatchObject({ totals: { planned: 5, skipped: some - 5, ok: 5 } })
    await expectEachOnce('thrice', 'some/', 5)
  })

  it(`classifies ${many} images within the limits, each once`, async () => {
    await upload('many/', many)
    const started = Date.now()
    await deployment.request({ batch: 'many', prefix: 'many/', chunkSize: '4' })
    expect(await closed('many')).toMatchObject({
      state: 'complete',
      totals: { planned: many, ok: many, error: 0, pending: 0 },
    })
    process.stderr.write(`${many} images in chunks of 4: ${Math.round((Date.now() - started) / 1000)} s\n`)
    await expectEachOnce('many', 'many/', many)
  })

  // The cancel is throttled, too: only a batch of several minutes is certain to be still open then.
  const cancelled = needs(!isFull && 'only at full size, WHISKLENS_FULL=1')
  cancelled.it('cancels a batch that the limits hold up, and carries on with it', async () => {
    const params = { batch: 'ended', prefix: 'many/', force: 'true', chunkSize: '1' }
    await deployment.request(params)
    await deployment.request({ batch: 'ended', prefix: 'many/', cancel: 'true' })
    const { state, totals } = await closed('ended')
    process.stderr.write(`cancelled after ${totals.ok} of ${many} images\n`)
    expect(state).toBe('cancelled')
    expect(totals.ok).toBeLessThan(many)
    await deployment.request(params)
    expect(await closed('ended', (summary) => summary.state === 'complete')).toMatchObject({
      totals: { ok: many, error: 0, pending: 0 },
    })
    await expectEachOnce('ended', 'many/', many)
  })
})
