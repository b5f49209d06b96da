import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { type BatchSummary, batchRequestSchema, type ImageRecord, isClosed } from '../../src/schema'
import { parseLines } from '../helpers/clients'
import { bodyOf } from '../helpers/event-fixtures'
import { sample, sampleLabels, sampleNames } from '../helpers/images'
import { eventually } from '../helpers/local-mode'
import { type Deployment, hasWskdeploy, openDeployment, type Params, secrets } from './deployment'
import { documentedFires, wordsOf } from './documented-fires'
import { openTarget, type Target } from './target'
import { hasWsk } from './wsk'

/*
 * User scenarios on any OpenWhisk and S3 store: those named in the environment, or the local API host with a real
 * server's limits and a local S3 server.
 */

const folder = mkdtempSync(join(tmpdir(), 'whisklens-conformance-'))
let target: Target
let before: string[] | undefined

/** Images by key, with the expected label or error code. */
const images = new Map<string, { body: Buffer; outcome: string }>()

beforeAll(async () => {
  target = await openTarget()
  process.stderr.write(
    `conformance on ${target.name}, ${hasWsk ? 'wsk' : 'a stand-in for wsk'} and ${hasWskdeploy ? 'wskdeploy' : 'whisklens deploy'}\n`,
  )
  const entities = await openDeployment(target, 'manifest.yaml').entities()
  if (entities.some((name) => name.endsWith('/whisklens')))
    throw new Error('The namespace has a package "whisklens" already: undeploy it first')
  before = entities
  for (const name of sampleNames) {
    images.set(`photos/${name}.jpg`, { body: sample(name), outcome: sampleLabels(name)[0]?.[0] ?? '' })
  }
  const png = await sharp(sample('coffee')).resize({ width: 300 }).png().toBuffer()
  images.set('photos/more/coffee.png', { body: png, outcome: 'espresso' })
  images.set('odd/text.jpg', { body: Buffer.from('this is no image'), outcome: 'image_unsupported' })
  images.set('odd/half.jpg', { body: sample('cat').subarray(0, 9000), outcome: 'image_corrupt' })
  images.set('odd/ünï/a b+c&d%41#😀.jpg', { body: sample('cat'), outcome: 'tiger cat' })
})
afterAll(async () => {
  // Leftovers of a failed test, which would make the next run refuse to start.
  if (before) await openDeployment(target, 'manifest.stock.yaml').run('undeploy', '--stock', '--quiet')
  await target?.close()
  rmSync(folder, { recursive: true })
})

const outcomeOf = ({ key, error, labels }: ImageRecord) => [key, error?.code ?? labels[0]?.label]
const keysBelow = (prefix: string): string[] => [...images.keys()].filter((key) => key.startsWith(prefix))
const outcomesBelow = (prefix: string) =>
  keysBelow(prefix)
    .map((key) => [key, images.get(key)?.outcome])
    .sort()

const inBase64 = (name: string): string => {
  const path = join(folder, `${name}.json`)
  // Fits on a command line and into the platform's limits.
  writeFileSync(path, JSON.stringify({ image: sample(name).toString('base64') }))
  return path
}

/** Parses the JSON object in the output of `wsk`. */
const resultIn = (stdout: string) => JSON.parse(stdout.slice(stdout.indexOf('{')))

/** Classifies without a bucket, by the action's name and through the sequence. */
async function classifyBase64(deployment: Deployment): Promise<void> {
  for (const action of ['whisklens/classify', 'whisklens/classify-images']) {
    const { stdout, code } = await deployment.wsk('action', 'invoke', action, '-P', inBase64('coffee'), '-r')
    expect(code).toBe(0)
    const { results, ...others } = resultIn(stdout)
    expect(others).toEqual({})
    expect(results).toHaveLength(3)
    expect(results[0]).toEqual({ className: 'espresso', probability: expect.closeTo(0.957, 1) })
  }
}

/** The only model in the zips of `manifest.stock.yaml`. An image chooses its model by its engine. */
const stockModel = 'efficientnet-lite0-int8'
const imageModel = expect.stringMatching(/^efficientnet-lite0(-int8)?$/)
const noStockModel = 'efficientnet-lite0'

async function predictCoffee(deployment: Deployment, id: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${secrets.resultsToken}` }
  const metadata = await deployment.ask('predict/model/metadata', { headers })
  expect(await metadata.json()).toMatchObject({ id, license: 'Apache-2.0' })
  const body = new FormData()
  body.append('image', new Blob([new Uint8Array(sample('coffee'))]), 'coffee.jpg')
  const answer = await deployment.ask('predict/model/predict', { method: 'POST', body, headers })
  expect(await answer.json()).toMatchObject({
    status: 'ok',
    predictions: [{ label_id: 'n07920052', label: 'espresso' }, {}, {}, {}, {}],
  })
}

async function deployTwice(deployment: Deployment): Promise<void> {
  await deployment.deploy()
  const made = await deployment.entities()
  await deployment.deploy()
  expect(await deployment.entities()).toEqual(made)
  expect(await deployment.differing()).toEqual([])
}

/** Undeploys, and expects that nothing is left except in the buckets. */
async function undeployAll(deployment: Deployment): Promise<void> {
  await deployment.undeploy()
  expect(await deployment.entities()).toEqual(before)
}

describe('manifest.yaml, with an image', () => {
  let deployment: Deployment
  beforeAll(() => {
    deployment = openDeployment(target, 'manifest.yaml')
  })

  it('can be deployed twice, used, and undeployed', async () => {
    if (!target.runtimeImage) throw new Error('Set WHISKLENS_RUNTIME_IMAGE to an image of the Dockerfile')
    await deployTwice(deployment)
    await classifyBase64(deployment)
    await predictCoffee(deployment, imageModel)
    await deployment.upload('photos/cat.jpg', sample('cat'))
    await deployment.request({ batch: 'by-image', prefix: 'photos/' })
    await deployment.completed('by-image')
    expect((await deployment.outcomes('by-image')).map(outcomeOf)).toEqual([['photos/cat.jpg', 'tiger cat']])
    await undeployAll(deployment)
  })
})

describe('manifest.stock.yaml', () => {
  let deployment: Deployment
  beforeAll(() => {
    deployment = openDeployment(target, 'manifest.stock.yaml')
  })

  const summaryIn = async (activationId: string): Promise<BatchSummary> => {
    const { response } = await deployment.activation(activationId)
    return response.result as unknown as BatchSummary
  }

  /** Fires a batch and waits until it completes. */
  async function runBatch(batch: string, params: Params): Promise<BatchSummary> {
    await deployment.request({ batch, ...params })
    return closed(batch)
  }
  const closed = (batch: string): Promise<BatchSummary> =>
    eventually(
      async () => {
        const summary = await deployment.summaryOf(batch)
        return summary !== null && isClosed(summary.state) && summary
      },
      `batch ${batch}`,
      600_000,
    )

  it('can be deployed twice, the second time without changes', () => deployTwice(deployment))

  it('classifies an image in the message', () => classifyBase64(deployment))

  it('predicts like a MAX model', () => predictCoffee(deployment, stockModel))

  it('classifies the images in notifications', async () => {
    for (const [key, { body }] of images) await deployment.upload(key, body)
    const Records = [...images.keys()].map((key) => ({
      eventName: 's3:ObjectCreated:Put',
      s3: {
        bucket: { name: target.imagesBucket },
        object: { key: encodeURIComponent(key).replaceAll('%20', '+') },
      },
    }))
    const answer = await deployment.ask('bucket-events', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secrets.eventsToken}` },
      body: JSON.stringify({ Records }),
    })
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ fired: 1 })])
    const found = await eventually(
      async () => {
        // The other manifest's image may have left records of another model.
        const keys = await deployment.keys(`images/${stockModel}@`)
        return keys.filter((key) => !key.includes('/by-')).length >= images.size && keys
      },
      'a record for each image',
      300_000,
    )
    const records = await Promise.all(
      found.map(async (key) => JSON.parse((await deployment.read(key)) ?? '') as ImageRecord),
    )
    expect(records.map(outcomeOf).sort()).toEqual(outcomesBelow(''))
  })

  it('accepts notifications as JSON, text and base64', async () => {
    for (const type of ['application/json', 'text/plain', 'application/octet-stream'])
      for (const [name, status, answer] of [
        ['backblaze-b2-test', 200, { received: 0, images: 0, fired: 0 }],
        ['azure-event-grid', 400, { error: expect.objectContaining({ code: 'event_unknown' }) }],
      ] as const) {
        const headers = { 'content-type': type, authorization: `Bearer ${secrets.eventsToken}` }
        const found = await deployment.ask('bucket-events', { method: 'POST', headers, body: bodyOf(name) })
        expect([type, found.status, await found.json()]).toEqual([type, status, answer])
      }
  })

  it('refuses notifications without the token', async () => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer guess' }
    const { status } = await deployment.ask('bucket-events', { method: 'POST', headers, body: '{}' })
    expect(status).toBe(401)
  })

  it('fires the trigger of a user for a part of the bucket', async () => {
    const { imagesBucket } = target
    const create = ['trigger', 'create', 'holidays', '--feed', 'whisklens/bucket-feed']
    const created = await deployment.wsk(...create, '-p', 'bucket', imagesBucket, '-p', 'prefix', 'holidays/')
    expect([created.code, created.stderr]).toEqual([0, expect.any(String)])
    expect(
      (await deployment.wsk('rule', 'create', 'on-holidays', 'holidays', 'whisklens/classify-images')).code,
    ).toBe(0)
    await deployment.upload('holidays/cat.jpg', sample('cat'))
    const Records = [
      {
        eventName: 's3:ObjectCreated:Put',
        s3: { bucket: { name: imagesBucket }, object: { key: 'holidays/cat.jpg' } },
      },
    ]
    const answer = await deployment.ask(`bucket-events?token=${secrets.eventsToken}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ Records }),
    })
    // Triggers of the bucket: its own, and the new one.
    expect(await answer.json()).toMatchObject({ fired: 2 })
    await eventually(
      async () => (await deployment.keys('images/')).some((key) => key.endsWith('/holidays/cat.jpg')),
      'the record',
      300_000,
    )
    expect((await deployment.wsk('rule', 'delete', 'on-holidays')).code).toBe(0)
    expect((await deployment.wsk('trigger', 'delete', 'holidays')).code).toBe(0)
    expect(await deployment.keys('feeds/')).toEqual(expect.not.arrayContaining(['feeds/holidays.json']))
    await deployment.store.deleteObject({ Bucket: imagesBucket, Key: 'holidays/cat.jpg' }).promise()
  })

  it('runs a batch when its trigger is fired, and skips all images the second time', async () => {
    const planned = keysBelow('photos/').length
    const first = await runBatch('first', { prefix: 'photos/', force: 'true' })
    expect(first).toMatchObject({ state: 'complete', totals: { planned, ok: planned, error: 0 } })
    expect((await deployment.outcomes('first')).map(outcomeOf)).toEqual(outcomesBelow('photos/'))
    expect(await runBatch('second', { prefix: 'photos/' })).toMatchObject({
      state: 'complete',
      totals: { listed: planned, planned: 0, skipped: planned },
    })
  })

  it('classifies changed images when a batch is fired again', async () => {
    await deployment.upload('photos/rocket.jpg', sample('coffee'))
    const planned = keysBelow('photos/').length
    await deployment.request({ batch: 'first', prefix: 'photos/' })
    const records = await eventually(
      async () => {
        const found = await deployment.outcomes('first')
        return found.some((one) => outcomeOf(one).join() === 'photos/rocket.jpg,espresso') && found
      },
      'the changed image',
      300_000,
    )
    expect(records).toHaveLength(planned)
    await deployment.upload('photos/rocket.jpg', sample('rocket'))
  })

  const selections: [string, string, (key: string) => boolean][] = [
    ['include', '*.png', (key) => key.endsWith('.png')],
    ['exclude', 'c*.jpg', (key) => !/\/c\w*\.jpg$/.test(key)],
    ['since', '2000-01-01', () => true],
    ['until', '2000-01-01', () => false],
    ['minSize', '30k', (key) => (images.get(key)?.body.length ?? 0) >= 30 * 1024],
    ['maxSize', '30k', (key) => (images.get(key)?.body.length ?? 0) <= 30 * 1024],
  ]
  it.each(selections)('selects images by %s', async (name, value, isSelected) => {
    const params = { prefix: 'photos/', force: 'true', [name]: value }
    const { totals } = await runBatch(`by-${name.toLowerCase()}`, params)
    expect(totals).toMatchObject({ planned: keysBelow('photos/').filter(isSelected).length })
  })

  it('honours limit, and samples the same images each time', async () => {
    const limited = await runBatch('limited', { prefix: 'photos/', force: 'true', limit: '2' })
    expect(limited.totals).toMatchObject({ planned: 2, ok: 2 })
    const sampled = async (batch: string) => {
      await runBatch(batch, { prefix: 'photos/', force: 'true', sample: '50%' })
      return (await deployment.outcomes(batch)).map(({ key }) => key)
    }
    const keys = await sampled('sampled')
    expect(await sampled('sampled-again')).toEqual(keys)
    expect(keys.length).toBeLessThan(images.size)
  })

  it('accepts another bucket, model and chunk size', async () => {
    const Bucket = `${target.imagesBucket}-more`
    await deployment.store.createBucket({ Bucket }).promise()
    await deployment.upload('cat.jpg', sample('cat'), Bucket)
    const params = { bucket: Bucket, chunkSize: '1' }
    expect(await runBatch('nowhere', { ...params, model: noStockModel })).toMatchObject({
      state: 'stopped',
      reason: expect.stringContaining(`There is no model "${noStockModel}"`),
    })
    const { totals, model } = await runBatch('elsewhere', { ...params, model: stockModel })
    expect({ totals, model }).toMatchObject({
      totals: { planned: 1, ok: 1 },
      model: expect.stringMatching(/^efficientnet-lite0-int8@/),
    })
    await deployment.store.deleteObject({ Bucket, Key: 'cat.jpg' }).promise()
    await deployment.store.deleteBucket({ Bucket }).promise()
  })

  it('only counts in a dry run', async () => {
    const id = await deployment.request({
      batch: 'counted',
      prefix: 'photos/',
      force: 'true',
      dryRun: 'true',
    })
    expect(await summaryIn(id)).toMatchObject({
      state: 'planning',
      totals: { planned: keysBelow('photos/').length },
    })
    expect(await deployment.keys('batches/counted/')).toEqual([])
  })

  it('refuses a batch over maxCost', async () => {
    const id = await deployment.request({
      batch: 'dear',
      prefix: 'photos/',
      force: 'true',
      maxCost: '0.000000001',
    })
    const { response } = await deployment.activation(id)
    expect(response).toMatchObject({
      success: false,
      result: { error: expect.stringContaining('more than maxCost') },
    })
    expect(await deployment.keys('batches/dear/')).toEqual([])
  })

  it('records errors, and stops at maxErrors', async () => {
    const all = await runBatch('odd', { prefix: 'odd/', force: 'true' })
    expect(all).toMatchObject({ state: 'complete', totals: { planned: 3, ok: 1, error: 2 } })
    expect((await deployment.outcomes('odd', 'errors.jsonl')).map(outcomeOf).sort()).toEqual(
      outcomesBelow('odd/').filter(([, outcome]) => /^image_/.test(outcome ?? '')),
    )
    const few = await runBatch('few-errors', {
      prefix: 'odd/',
      force: 'true',
      maxErrors: '1',
      chunkSize: '1',
    })
    expect(few.state).toMatch(/stopped|complete/)
    if (few.state === 'stopped') expect(few.reason).toContain('maxErrors')
  })

  it('cancels a batch, and resumes it by retry or by firing again', async () => {
    const id = 'cancelled'
    const params = { batch: id, prefix: 'photos/' }
    await deployment.request({ ...params, force: 'true', chunkSize: '1' })
    await deployment.request({ ...params, cancel: 'true' })
    const ended = await closed(id)
    expect(ended.state).toMatch(/cancelled|complete/)
    await deployment.request({ batch: id, retry: 'true' })
    const planned = keysBelow('photos/').length
    expect(await deployment.completed(id)).toMatchObject({ totals: { planned, ok: planned, pending: 0 } })
    expect((await deployment.outcomes(id)).map(outcomeOf)).toEqual(outcomesBelow('photos/'))
  })

  it('reconciles, and polls', async () => {
    const reconciled = await deployment.activation(await deployment.request({ reconcile: 'true' }))
    const result = { resumed: [], batch: expect.stringMatching(/^uploads-/) }
    expect(reconciled.response).toMatchObject({ success: true, result })
    const trigger = `/${target.platform.namespace}/image-uploaded`
    const poll = ['action', 'invoke', 'whisklens/start-batch', '-p', 'poll', trigger, '-r']
    const { stdout, code } = await deployment.wsk(...poll)
    expect([code, resultIn(stdout)]).toEqual([0, result])
  })

  it('answers in every format', async () => {
    const get = (query: string, headers = {}) =>
      deployment.ask(`results?token=${secrets.resultsToken}&${query}`, { headers, redirect: 'follow' })
    const records = (await deployment.outcomes('first')).map(outcomeOf)
    const asJson = (await (await get('batch=first&format=json')).json()) as { records: ImageRecord[] }
    expect(asJson.records.map(outcomeOf)).toEqual(records)
    const lines = await (await get('batch=first&format=jsonl')).text()
    expect(parseLines<ImageRecord>(lines).map(outcomeOf)).toEqual(records)
    const csv = await get('batch=first&format=csv')
    expect(csv.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/i)
    expect((await csv.text()).trim().split('\r\n')).toHaveLength(records.length + 1)
    const page = await get('batch=first', { accept: 'text/html' })
    expect([page.headers.get('content-type'), await page.text()]).toEqual([
      expect.stringMatching(/^text\/html/),
      expect.stringContaining('<!doctype html>'),
    ])
    const paged: ImageRecord[] = []
    for (let after: string | null = ''; after !== null; ) {
      const answer = (await (await get(`batch=first&limit=4&after=${encodeURIComponent(after)}`)).json()) as {
        records: ImageRecord[]
        next: string | null
      }
      paged.push(...answer.records)
      after = answer.next ?? null
    }
    expect(paged.map(outcomeOf)).toEqual(records)
    const { status } = await deployment.ask('results?batch=first&token=guess')
    expect(status).toBe(401)
  })

  it('runs the commands of README and docs', async () => {
    const fires = documentedFires()
    expect(fires.length).toBeGreaterThan(3)
    for (const { file, command } of fires) {
      const [, , , ...words] = wordsOf(
        command.replace(/\bID\b/g, 'first').replace('BUCKET', target.imagesBucket),
      )
      const [outcome] = await eventually(
        async () => {
          const outcomes = await deployment.fireBy(words)
          return outcomes.every(({ error }) => !/Too many/.test(error ?? '')) && outcomes
        },
        command,
        300_000,
      )
      expect([file, command, outcome]).toEqual([file, command, expect.objectContaining({ success: true })])
      const { response } = await deployment.activation(String(outcome?.activationId))
      expect([file, command, response]).toEqual([file, command, expect.objectContaining({ success: true })])
    }
  })

  it('documents every parameter of a batch', () => {
    const documented = new Set(
      documentedFires().flatMap(({ command }) => [...command.matchAll(/-p (\w+)/g)].map(([, name]) => name)),
    )
    const supported = Object.keys(batchRequestSchema.shape).filter((name) => name !== 'poll')
    expect(supported.filter((name) => !documented.has(name))).toEqual([])
  })

  it('does not let a message choose the connection', async () => {
    // A setting that the deployment leaves unset is an empty parameter, which cannot be overridden either.
    const inputs = [
      ['s3Endpoint', 'http://127.0.0.1:9'],
      ['gbSecondPrice', ''],
    ]
    for (const [name = '', value = ''] of inputs) {
      for (const action of ['start-batch', 'classify', 'aggregate', 'bucket-feed', 'classify-images']) {
        const invoke = ['action', 'invoke', `whisklens/${action}`, '-p', name, value, '-r']
        const { code, stdout, stderr } = await deployment.wsk(...invoke)
        expect([action, name, code === 0]).toEqual([action, name, false])
        expect(stdout + stderr).toContain('not allowed')
      }
      const outcome = await deployment.outcomeOf({ prefix: 'photos/', [name]: value })
      expect(outcome).toMatchObject({ success: false, error: expect.stringContaining('not allowed') })
    }
    const query = `token=${secrets.resultsToken}&s3Endpoint=http://127.0.0.1:9`
    expect((await deployment.ask(`results?${query}`)).status).toBe(400)
  })

  it('does not leak secrets or callers’ keys', async () => {
    const [, key = ''] = target.platform.auth.split(':')
    const hidden = [
      key,
      Buffer.from(target.platform.auth).toString('base64'),
      target.s3.secretAccessKey,
      ...Object.values(secrets),
    ]
    const activations = await deployment.activations()
    for (const name of ['bucket-feed', 'bucket-events', 'classify', 'aggregate', 'start-batch'])
      expect(activations.some((activation) => activation.includes(`"name":"${name}"`))).toBe(true)
    const keys = await deployment.keys('')
    // Objects may be deleted meanwhile, such as the marker of an open batch.
    const read = await Promise.all(keys.map((name) => deployment.read(name)))
    const written = read.filter((text) => text !== undefined)
    expect(written.length).toBeGreaterThan(images.size)
    for (const secret of hidden)
      for (const text of [...activations, ...written]) expect(text).not.toContain(secret)
  })

  it('leaves nothing behind except in the buckets', async () => {
    const kept = async () => (await deployment.keys('')).filter((key) => !/^(feeds|tried)\//.test(key))
    const records = await kept()
    await undeployAll(deployment)
    expect(await kept()).toEqual(records)
  })
})
