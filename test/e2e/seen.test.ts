import type { Activation } from 'openwhisk'
import { type Clients, clientsOf, parseLines } from '../helpers/clients'
import { sample, sampleLabels } from '../helpers/images'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'
import { parseOpenMetrics, valuesOf } from '../helpers/openmetrics'
import { startReceiver, verified, webhookSecret } from '../helpers/receiver'

/* What a deployment exposes: webhook messages, image tags, metrics, and logs. */

let dataDir: string
let local: RunningLocal
let clients: Clients
let receiver: Awaited<ReturnType<typeof startReceiver>>

beforeAll(async () => {
  dataDir = await newDataDir()
  // The first two attempts fail.
  receiver = await startReceiver([500, 503])
  process.env.WHISKLENS_WEBHOOK_URL = receiver.url
  process.env.WHISKLENS_WEBHOOK_SECRET = webhookSecret
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  for (const name of ['cat', 'coffee']) await clients.upload(`photos/${name}.jpg`, sample(name))
  await clients.upload('photos/none.jpg', Buffer.from('no image'))
})
afterAll(async () => {
  await local.stop()
  await receiver.close()
  await removeDataDir(dataDir)
})

it('A completed batch is delivered once by its webhook, after two failures', async () => {
  const args = ['batch', 'photos/', '--batch', 'seen', '--tag', '--force', '--json']
  const { stdout, code } = await whisklens(args, { WHISKLENS_DATA: dataDir })
  // One image is in error.
  expect(code).toBe(3)
  const [summary] = parseLines<object>(stdout)
  expect(summary).toMatchObject({ totals: { ok: 2, error: 1 }, tags: { written: 2, errors: {} } })
  await eventually(async () => receiver.accepted().length > 0, 'the webhook')
  const messages = receiver.received.filter(({ body }) => JSON.parse(body).batch === 'seen')
  expect(messages.map(({ status }) => status)).toEqual([500, 503, 204])
  expect(new Set(messages.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(verified(messages[2] as (typeof messages)[number])).toEqual(summary)
  const left = async () => (await clients.keys('webhooks/')).length === 0
  await eventually(left, 'the message to be removed')
})

it('Its images have their tags', async () => {
  const { TagSet } = await clients.store
    .getObjectTagging({ Bucket: 'images', Key: 'photos/cat.jpg' })
    .promise()
  expect(TagSet).toContainEqual({ Key: 'whisklens:label', Value: sampleLabels('cat')[0]?.[0] })
  const none = await clients.store.getObjectTagging({ Bucket: 'images', Key: 'photos/none.jpg' }).promise()
  expect(none.TagSet).toEqual([])
})

it('/metrics has metrics of the host and of batches', async () => {
  const answer = await fetch(`${local.connection.apiHost}/metrics`)
  const families = parseOpenMetrics(await answer.text())
  const activations = valuesOf(families, 'whisklens_host_activations')
  expect(activations['guest/whisklens/start-batch success']).toBeGreaterThanOrEqual(1)
  expect(valuesOf(families, 'whisklens_host_containers')['']).toBeGreaterThanOrEqual(1)
  const web = `${local.connection.apiHost}/api/v1/web/guest/whisklens/results?format=openmetrics`
  const results = await fetch(web, { headers: { authorization: `Bearer ${local.connection.webToken}` } })
  expect(results.headers.get('content-type')).toContain('application/openmetrics-text; version=1.0.0')
  // The day's batch of uploads is always included. An ended batch whose id has no date may be omitted for others.
  const images = valuesOf(parseOpenMetrics(await results.text()), 'whisklens_batch_images')
  expect(Object.keys(images).some((name) => /^uploads-.* ok$/.test(name))).toBe(true)
})

it('Each log line of its activations is JSON, and names the batch and the activation', async () => {
  const { ow } = clients
  const listed = (await ow.activations.list({ limit: 200 })) as unknown as Activation<object>[]
  const seen: Record<string, number> = {}
  for (const { activationId, name = '' } of listed) {
    if (!['start-batch', 'classify', 'aggregate'].includes(name)) continue
    const { logs } = await ow.activations.get({ name: activationId })
    for (const line of logs) {
      const fields = JSON.parse(line.replace(/^\S+ stderr: /, ''))
      expect(fields).toMatchObject({
        activation: activationId,
        msg: expect.any(String),
        level: expect.any(String),
      })
      expect([line, fields.batch]).toEqual([line, expect.stringMatching(/^(seen|uploads-\d{4}-\d\d-\d\d)$/)])
      if (fields.batch === 'seen') seen[name] = (seen[name] ?? 0) + 1
    }
  }
  // start-batch logs at least that it opened, closed and completed the batch and sent the webhook. Other lines are
  // logged by the action that writes the object.
  expect(seen['start-batch']).toBeGreaterThanOrEqual(4)
  expect(seen.aggregate).toBeGreaterThanOrEqual(1)
})

it('The webhook’s secret and URL path are in no log, result, object or answer', async () => {
  const { ow, store } = clients
  const found = (text: string) => /path-as-a-key|dGhlIHNlY3JldC/.exec(text)?.[0]
  const listed = (await ow.activations.list({ limit: 200 })) as unknown as Activation<object>[]
  for (const { activationId, name } of listed) {
    const activation = await ow.activations.get({ name: activationId })
    expect([name, found(JSON.stringify(activation))]).toEqual([name, undefined])
  }
  for (const Bucket of ['images', 'results']) {
    const { Contents = [] } = await store.listObjectsV2({ Bucket }).promise()
    for (const { Key = '' } of Contents) {
      const { Body } = await store.getObject({ Bucket, Key }).promise()
      expect([Key, found(String(Body))]).toEqual([Key, undefined])
    }
  }
  expect(found(local.stderr())).toBeUndefined()
})
