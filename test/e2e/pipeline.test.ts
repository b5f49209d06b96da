import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import S3 from 'ibm-cos-sdk/clients/s3'
import openwhisk from 'openwhisk'
import sharp from 'sharp'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'

const samples = join(__dirname, '..', '..', 'samples')
const awkwardKey = 'odd/ünï/a b+c&d%41#😀.jpg'

let dataDir: string
let local: RunningLocal
let s3: S3
let ow: ReturnType<typeof openwhisk>

const connect = () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = local.connection.s3
  s3 = new S3({
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    s3ForcePathStyle: true,
    signatureVersion: 'v4',
  })
  ow = openwhisk({ apihost: local.connection.apiHost, api_key: local.connection.auth })
}

beforeAll(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir)
  connect()
})

afterAll(async () => {
  await local.stop()
  await removeDataDir(dataDir)
})

const upload = (key: string, body: Buffer) =>
  s3.putObject({ Bucket: 'images', Key: key, Body: body }).promise()
const sample = (name: string) => readFile(join(samples, name))

async function read(key: string): Promise<string | undefined> {
  try {
    return String((await s3.getObject({ Bucket: 'results', Key: key }).promise()).Body)
  } catch (thrown) {
    if ((thrown as { code: string }).code === 'NoSuchKey') return undefined
    throw thrown
  }
}

const records = (jsonl: string) =>
  jsonl.split('\n').flatMap((line) => (line ? [JSON.parse(line) as ImageRecord] : []))

async function keys(prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.listObjectsV2({ Bucket: 'results', Prefix: prefix }).promise()
  return Contents.map(({ Key = '' }) => Key)
}

/** The newest record of an image, of any model version. */
async function record(key: string): Promise<ImageRecord | undefined> {
  const path = (await keys('images/')).find((candidate) => candidate.endsWith(`/images/${key}`))
  const text = path && (await read(path))
  return text ? (JSON.parse(text) as ImageRecord) : undefined
}

async function runBatch(batch: string, params: object = {}) {
  await ow.triggers.invoke({ name: 'batch-requested', params: { batch, ...params } })
  const summary = await eventually(async () => {
    const current = JSON.parse((await read(`batches/${batch}/summary.json`)) ?? 'null') as BatchSummary | null
    return current?.state === 'complete' && current
  }, `batch ${batch}`)
  return { summary, results: records((await read(`batches/${batch}/results.jsonl`)) ?? '') }
}

describe('the pipeline, through real processes and real clients', () => {
  it('classifies an uploaded image', async () => {
    await upload('first/coffee.jpg', await sample('coffee.jpg'))
    const { labels, status, engine, thumbnail } = await eventually(
      () => record('first/coffee.jpg'),
      'the record',
    )
    expect({ status, engine, label: labels[0]?.label, labels: labels.length }).toEqual({
      status: 'ok',
      engine: 'onnx',
      label: 'espresso',
      labels: 5,
    })
    const small = await s3.getObject({ Bucket: 'results', Key: thumbnail?.key ?? '' }).promise()
    expect(await sharp(small.Body as Buffer).metadata()).toMatchObject({ format: 'webp', width: 320 })
    const day = `uploads-${new Date().toISOString().slice(0, 10)}`
    const summary = await eventually(
      async () => read(`batches/${day}/summary.json`),
      'the summary of the day',
    )
    expect(JSON.parse(summary)).toMatchObject({ state: 'running', exact: false, errors: {} })
  })

  it('lets only pages of its API host read its buckets in a browser', async () => {
    for (const Bucket of ['images', 'results']) {
      const { CORSRules = [] } = await s3.getBucketCors({ Bucket }).promise()
      expect(CORSRules).toMatchObject([
        {
          AllowedOrigins: [local.connection.apiHost],
          AllowedMethods: ['GET', 'HEAD'],
          AllowedHeaders: ['Range'],
        },
      ])
    }
  })

  it('ends every image with labels or with an error code, whatever is uploaded', async () => {
    const coffee = await sample('coffee.jpg')
    const huge = await sharp({
      create: { width: 20_000, height: 20_000, channels: 3, background: 'red' },
      limitInputPixels: false,
    })
      .png()
      .toBuffer()
    const expected: Record<string, [Buffer, string]> = {
      'odd/text.jpg': [Buffer.from('this is no image'), 'image_unsupported'],
      'odd/truncated.jpg': [coffee.subarray(0, coffee.length / 2), 'image_corrupt'],
      'odd/empty.jpg': [Buffer.alloc(0), 'image_empty'],
      'odd/huge.png': [huge, 'image_too_large'],
      [awkwardKey]: [await sample('cat.jpg'), 'tiger cat'],
    }
    for (const [key, [body]] of Object.entries(expected)) await upload(key, body)
    for (const [key, [, outcome]] of Object.entries(expected)) {
      const { error, labels } = await eventually(() => record(key), key)
      expect([key, error?.code ?? labels[0]?.label]).toEqual([key, outcome])
    }
    const { summary, results } = await runBatch('odd-ones', { prefix: 'odd/', force: true })
    expect(results.map(({ key, error, labels }) => [key, error?.code ?? labels[0]?.label]).sort()).toEqual(
      Object.entries(expected)
        .map(([key, [, outcome]]) => [key, outcome])
        .sort(),
    )
    expect(summary.totals).toEqual({ listed: 5, planned: 5, skipped: 0, ok: 1, error: 4, pending: 0 })
    expect(records((await read('batches/odd-ones/errors.jsonl')) ?? '')).toHaveLength(4)
  })

  it('writes an error record for a missing image', async () => {
    const images = [{ bucket: 'images', key: 'never/was.jpg' }]
    const result = await ow.actions.invoke({
      name: 'whisklens/classify',
      params: { images },
      blocking: true,
      result: true,
    })
    expect(result.images).toMatchObject([
      { key: 'never/was.jpg', status: 'error', error: { code: 'image_missing' } },
    ])
  })

  it('returns the three best labels of an image in the message, directly and through the sequence', async () => {
    const params = { image: (await sample('coffee.jpg')).toString('base64') }
    for (const name of ['whisklens/classify', 'whisklens/classify-images']) {
      const result = await ow.actions.invoke({ name, params, blocking: true, result: true })
      expect(Object.keys(result)).toEqual(['results'])
      expect(result.results[0]).toEqual({ className: 'espresso', probability: expect.closeTo(0.957, 1) })
      expect(result.results).toHaveLength(3)
    }
  })

  it('skips unchanged images, and classifies them again with force', async () => {
    for (const name of ['cat.jpg', 'rocket.jpg', 'palace.jpg'])
      await upload(`again/${name}`, await sample(name))
    await eventually(
      async () => (await keys('images/')).filter((key) => key.includes('/again/')).length === 3,
    )
    const skipped = await runBatch('unchanged', { prefix: 'again/' })
    expect(skipped.summary.totals).toMatchObject({ listed: 3, planned: 0, skipped: 3 })
    const forced = await runBatch('forced', { prefix: 'again/', force: 'true' })
    expect(forced.results.map(({ key, labels }) => [key, labels[0]?.label])).toEqual([
      ['again/cat.jpg', 'tiger cat'],
      ['again/palace.jpg', 'palace'],
      ['again/rocket.jpg', 'missile'],
    ])
    const csv = (await read('batches/forced/results.csv')) ?? ''
    expect(csv.split('\r\n')[1]).toMatch(/^images,again\/cat\.jpg,ok,tiger cat,0\.3/)
  })

  it('classifies new images when a batch is fired again under its id', async () => {
    await runBatch('grows', { prefix: 'again/', force: true })
    await upload('again/camera.jpg', await sample('camera.jpg'))
    await eventually(() => record('again/camera.jpg'))
    await upload('again/rocket.jpg', await sample('coffee.jpg'))
    await eventually(async () => (await record('again/rocket.jpg'))?.labels[0]?.label === 'espresso')
    await ow.triggers.invoke({
      name: 'batch-requested',
      params: { batch: 'grows', prefix: 'again/', force: true },
    })
    const results = await eventually(async () => {
      const found = records((await read('batches/grows/results.jsonl')) ?? '')
      return found.length === 4 && found
    })
    expect(results.map(({ key, labels }) => [key, labels[0]?.label])).toContainEqual([
      'again/rocket.jpg',
      'espresso',
    ])
  })

  it('serves results over the web to holders of the token', async () => {
    const { gallery, webToken } = local.connection
    const url = new URL(gallery)
    url.search = new URLSearchParams({ token: webToken, batch: 'forced' }).toString()
    const answer = await fetch(url, { headers: { accept: 'application/json' } })
    const { records: found } = (await answer.json()) as { records: ImageRecord[] }
    expect(found.map(({ key }) => key)).toEqual(['again/cat.jpg', 'again/palace.jpg', 'again/rocket.jpg'])
    url.searchParams.set('token', 'guess')
    expect((await fetch(url)).status).toBe(401)
  })

  it('refuses notifications without the right token', async () => {
    const url = `${local.connection.apiHost}/api/v1/web/guest/whisklens/bucket-events`
    const headers = { 'content-type': 'application/json', authorization: 'Bearer guess' }
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ Records: [] }) })
    expect(answer.status).toBe(401)
  })

  it('keeps the running local mode reachable when a second is started on its data', async () => {
    const second = await whisklens(['up', '--port', '0', '--data', dataDir])
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('is in use by process')])
    const status = await whisklens(['status', '--json'], { WHISKLENS_DATA: dataDir })
    expect(status.code).toBe(0)
    expect(status.stdout).toContain('"batch":"forced"')
  })

  it('explains why an action failed, without internals', async () => {
    const call = ow.actions.invoke({ name: 'whisklens/classify', params: {}, blocking: true, result: true })
    await expect(call).rejects.toThrow('Expected an image to classify (bad_parameter)')
  })

  it('stops a batch whose model cannot be loaded, with a reason', async () => {
    const batch = 'no-model'
    await ow.triggers.invoke({ name: 'batch-requested', params: { batch, model: 'no-such-model' } })
    const summary = await eventually(async () => {
      const current = JSON.parse((await read(`batches/${batch}/summary.json`)) ?? 'null')
      return current?.state === 'stopped' && current
    }, 'its end')
    expect(summary).toMatchObject({ reason: expect.stringContaining('no-such-model'), errors: {} })
  })

  it('keeps its state over a restart and leaves no process behind', async () => {
    expect(await local.stop('SIGINT')).toBe(0)
    expect(execFileSync('ps', ['-eo', 'args']).toString()).not.toContain(dataDir)
    const before = await startLocalMode(dataDir)
    local = before
    connect()
    expect((await record('first/coffee.jpg'))?.labels[0]?.label).toBe('espresso')
    expect((await runBatch('after-restart', { prefix: 'first/' })).summary.totals).toMatchObject({
      skipped: 1,
    })
  })
})

describe('the demo', () => {
  it('prints only the summary and the records on stdout', async () => {
    const folder = await newDataDir()
    const { stdout, code } = await whisklens(['demo', '--json', '--data', folder])
    await removeDataDir(folder)
    const [summary, ...found] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(code).toBe(0)
    expect(summary).toMatchObject({
      schema: 'whisklens.summary/1',
      state: 'complete',
      totals: { planned: 8, ok: 8 },
    })
    const label = (name: string) => found.find(({ key }) => key === `samples/${name}`).labels[0].label
    expect(label('cat.jpg')).toMatch(/tabby|tiger cat|Egyptian cat/)
    expect(label('coffee.jpg')).toMatch(/espresso|cup/)
    expect(label('rocket.jpg')).toMatch(/missile|projectile/)
  })
})
