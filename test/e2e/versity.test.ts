import type { Dict } from 'openwhisk'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import { parseLines } from '../helpers/clients'
import { type Cluster, startCluster } from '../helpers/cluster'
import { sample, sampleLabels, sampleNames } from '../helpers/images'
import { eventually } from '../helpers/local-mode'
import { withVersity } from '../helpers/versity'

const samples = sampleNames.map((name) => `photos/${name}.jpg`)
/** Key and top label of each sample, in key order. */
const expected = sampleNames.map((name) => [`photos/${name}.jpg`, sampleLabels(name)[0]?.[0]])
const labelled = (records: ImageRecord[]) => records.map(({ key, labels }) => [key, labels[0]?.label])

withVersity('a deployment with the command line, and an S3 store of others', () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster.close())

  /** Runs a command that must succeed. @returns parsed JSON documents */
  async function run<T = Dict>(...args: string[]): Promise<T[]> {
    const { stdout, stderr, code } = await cluster.run(...args, '--json')
    expect([code, stderr]).toEqual([0, expect.any(String)])
    return parseLines<T>(stdout)
  }
  const changes = async (...args: string[]) =>
    (await run(...args)).filter(({ change }) => change !== 'none').map(({ change, name }) => [change, name])

  const newest = async (): Promise<ImageRecord[]> => {
    const keys = await cluster.keys('images/')
    return Promise.all(keys.map(async (key) => JSON.parse((await cluster.read(key)) ?? '')))
  }

  /** A feed's answer to READ; the client's types lack it. */
  const readFeed = async (name: string, trigger: string): Promise<Dict> => {
    const feeds = cluster.ow.feeds as unknown as { get(options: Dict): Promise<Dict> }
    return (await feeds.get({ name, trigger })).response.result
  }

  it('creates everything, and changes nothing the second time', async () => {
    const made = await changes('deploy')
    expect(made).toContainEqual(['create', 'whisklens/classify-images'])
    expect(new Set(made.map(([change]) => change))).toEqual(new Set(['create']))
    const before = await cluster.entities()
    expect(await changes('deploy')).toEqual([])
    expect(await cluster.entities()).toEqual(before)
  })

  it('watches the bucket, and polls it', async () => {
    const feed = await readFeed('whisklens/bucket-feed', 'image-uploaded')
    expect(feed).toMatchObject({
      trigger: '/guest/image-uploaded',
      bucket: 'images',
      minutes: 10,
      settle: 10,
      polling: true,
    })
    // The gateway's listings have a resolution of one second: images uploaded in the second of the deployment must be
    // found, too.
    expect(Date.parse(feed.createdAt) - Date.parse(feed.since)).toBeGreaterThan(1000)
    const { config } = await readFeed('/whisk.system/alarms/interval', 'image-uploaded-poll')
    expect(config).toMatchObject({ minutes: 10, payload: { poll: '/guest/image-uploaded' } })
  })

  it('classifies images announced by the store’s webhook', async () => {
    for (const name of sampleNames) await cluster.upload(`photos/${name}.jpg`, sample(name))
    const records = await eventually(async () => {
      const found = await newest()
      return found.length === samples.length && found
    }, 'the records')
    expect(labelled(records)).toEqual(expected)
  })

  it('tags images on request, and does not treat a tag as an upload', async () => {
    const activations = async (name: string) => {
      const listed = await cluster.ow.activations.list({ name, limit: 200 } as never)
      return (listed as { activationId: string }[]).map(({ activationId }) => activationId)
    }
    const [before, fired] = [
      await activations('whisklens/bucket-events'),
      await activations('image-uploaded'),
    ]
    // By the gateway with the webhook.
    const [Bucket, Key] = ['images', 'photos/cat.jpg']
    const TagSet = [{ Key: 'project', Value: 'x' }]
    await cluster.uploads.putObjectTagging({ Bucket, Key, Tagging: { TagSet } }).promise()
    const notified = await eventually(async () => {
      const [name] = (await activations('whisklens/bucket-events')).filter((id) => !before.includes(id))
      return name ? cluster.ow.activations.get({ name }).catch(() => undefined) : undefined
    }, 'the event of the tag')
    expect(notified.response?.result.body).toMatchObject({ images: 0, fired: 0 })
    const [summary] = await run<BatchSummary>('batch', 'photos/', '--batch', 'tagged', '--force', '--tag')
    expect(summary).toMatchObject({ totals: { ok: 8 }, tags: { written: 8, errors: {} } })
    const tagged = await cluster.store.getObjectTagging({ Bucket, Key }).promise()
    expect(Object.fromEntries(tagged.TagSet.map((tag) => [tag.Key, tag.Value]))).toEqual({
      project: 'x',
      'whisklens:label': sampleLabels('cat')[0]?.[0],
      'whisklens:confidence': expect.stringMatching(/^0\.\d{4}$/),
      'whisklens:model': summary?.model,
    })
    expect(await activations('image-uploaded')).toEqual(fired)
  })

  it('runs a batch, and returns its results', async () => {
    const [summary] = await run<BatchSummary>('batch', 'photos/', '--batch', 'all', '--force')
    expect(summary).toMatchObject({ state: 'complete', totals: { planned: 8, ok: 8 } })
    expect(labelled(await run<ImageRecord>('results', 'all'))).toEqual(expected)
    const [again] = await run<BatchSummary>('batch', 'photos/', '--batch', 'again')
    expect(again).toMatchObject({ totals: { listed: 8, planned: 0, skipped: 8 } })
  })

  it('runs a batch on a schedule', async () => {
    const { ow } = cluster
    await ow.triggers.update({ name: 'nightly' })
    await ow.rules.update({ name: 'nightly-batch', trigger: 'nightly', action: 'whisklens/start-batch' })
    const payload = { batch: 'of-the-night', prefix: 'photos/c' }
    // Retry if the feed took so long that the date had passed.
    await eventually(() => {
      const params = { date: Date.now() + 1500, trigger_payload: payload }
      const feed = { name: '/whisk.system/alarms/once', trigger: 'nightly', params }
      return ow.feeds.create(feed).then(
        () => true,
        () => false,
      )
    })
    const { totals } = await cluster.completed(payload.batch)
    expect(totals).toMatchObject({ listed: 3, planned: 0, skipped: 3 })
    await ow.rules.delete({ name: 'nightly-batch' })
    await ow.triggers.delete({ name: 'nightly' })
  })

  it('finds images without notifications by a poll', async () => {
    // Only this test polls.
    expect(await cluster.updateFeed({ settle: 0, minutes: 0 })).toMatchObject({ settle: 0, polling: false })
    const lost = (await cluster.keys('images/')).filter((key) => /c(at|offee)\.jpg$/.test(key))
    for (const Key of lost) await cluster.store.deleteObject({ Bucket: 'results', Key }).promise()
    expect(await cluster.poll()).toMatch(/^uploads-/)
    await eventually(async () => (await newest()).length === Object.keys(expected).length, 'the lost ones')
    expect(labelled(await newest())).toEqual(expected)
    expect(await cluster.updateFeed({ minutes: 5 })).toMatchObject({ settle: 0, minutes: 5, polling: true })
  })

  it('does not leak its secrets', async () => {
    const activations: string[] = []
    let page: unknown[]
    do {
      const skip = activations.length
      page = await cluster.ow.activations.list({ docs: true, limit: 200, skip } as never)
      activations.push(...page.map((activation) => JSON.stringify(activation)))
    } while (page.length > 0)
    // Each kind of action has run and logged.
    for (const name of ['bucket-feed', 'bucket-events', 'classify', 'aggregate', 'start-batch'])
      expect(activations.some((activation) => activation.includes(`"name":"${name}"`))).toBe(true)
    const written = await Promise.all((await cluster.keys('')).map((key) => cluster.read(key)))
    expect(written.length).toBeGreaterThan(8)
    for (const secret of cluster.secrets)
      for (const text of [...activations, ...written]) expect(text).not.toContain(secret)
  })

  it('leaves nothing behind except in the buckets', async () => {
    const kept = async () =>
      (await cluster.keys('')).filter((key) => !/^(feeds|retry|batches\/uploads-)/.test(key))
    const before = await kept()
    expect((await changes('undeploy')).length).toBeGreaterThan(10)
    expect(await cluster.entities()).toEqual([])
    expect(await kept()).toEqual(before)
    expect(await changes('undeploy')).toEqual([])
  })
})
