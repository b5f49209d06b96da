import { randomUUID } from 'node:crypto'
import type { Activation } from 'openwhisk'
import { readSecrets } from '../../src/local/state'
import { type Clients, clientsOf } from '../helpers/clients'
import { sample } from '../helpers/images'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
} from '../helpers/local-mode'

/*
 * Actions tolerate the platform's additions to their parameters, and the caller's key among them does not leak. It is
 * planted in the headers of each request, and in the parameters as passed by a rule.
 */

const marker = `planted-${randomUUID()}`
const added = {
  __ow_headers: { accept: '*/*', authorization: `Basic ${marker}`, host: 'h', 'x-planted': marker },
  __ow_user: marker,
}

let dataDir: string
let local: RunningLocal
let clients: Clients
let eventsToken: string

/** An action that returns its parameters. */
const echo = '/guest/echo'

beforeAll(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  eventsToken = (await readSecrets(dataDir)).eventsToken
  for (const name of ['cat', 'coffee']) await clients.upload(`photos/${name}.jpg`, sample(name))
})
afterAll(async () => {
  await local.stop()
  await removeDataDir(dataDir)
})

const headers = (authorization: string) => ({
  authorization,
  'content-type': 'application/json',
  'user-agent': marker,
  'x-planted': marker,
})

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const { apiHost, auth } = local.connection
  const answer = await fetch(`${apiHost}/api/v1/namespaces/_/${path}`, {
    method: 'POST',
    headers: headers(`Basic ${Buffer.from(auth).toString('base64')}`),
    body: JSON.stringify({ ...body, ...added }),
  })
  return (await answer.json()) as Record<string, unknown>
}

const invoke = (action: string, message: object) =>
  post(`actions/whisklens/${action}?blocking=true&result=true`, message)
const fire = (message: object) => post('triggers/batch-requested', message)

const visit = (action: string, token: string, method: string, body?: object) =>
  fetch(`${local.connection.apiHost}/api/v1/web/guest/whisklens/${action}`, {
    method,
    headers: headers(`Bearer ${token}`),
    body: body && JSON.stringify(body),
  })

describe('with the platform’s additions to their parameters, actions', () => {
  it('do what they are asked to do', async () => {
    expect(await invoke('classify', { image: sample('cat').toString('base64') })).toEqual({
      results: [expect.objectContaining({ className: 'tiger cat' }), expect.anything(), expect.anything()],
    })
    expect(await invoke('classify', { describe: true })).toEqual({
      model: expect.stringMatching(/^efficientnet-lite0-int8@/),
      engine: 'onnx',
      decoder: expect.stringMatching(/^sharp /),
    })
    const images = [{ bucket: 'images', key: 'photos/cat.jpg' }]
    expect(await invoke('classify-images', { images })).toMatchObject({ records: { ok: 1, error: 0 } })
    expect(await invoke('aggregate', { images: [] })).toMatchObject({ records: { ok: 0, error: 0 } })
    const feed = { lifecycleEvent: 'READ', triggerName: '/_/image-uploaded', authKey: marker }
    expect(await invoke('bucket-feed', feed)).toMatchObject({ trigger: '/guest/image-uploaded' })
    expect(await invoke('start-batch', { prefix: 'photos/', dryRun: true })).toMatchObject({
      state: 'planning',
      totals: { listed: 2 },
    })
    expect(await invoke('start-batch', { reconcile: true })).toEqual({
      resumed: [],
      batch: expect.stringMatching(/^uploads-/),
    })
    expect(await invoke('start-batch', { poll: '/guest/image-uploaded' })).toHaveProperty('resumed')
  })

  it('report errors without the additions', async () => {
    const refused = [
      await invoke('classify', { nonsense: 1 }),
      await invoke('aggregate', { nonsense: 1 }),
      await invoke('bucket-feed', { lifecycleEvent: 'NONSENSE' }),
      await invoke('start-batch', { prefx: 'photos/' }),
      await invoke('start-batch', { batch: 'b0', cancel: true }),
    ]
    for (const answer of refused) {
      expect(answer).toEqual({ error: expect.any(String) })
      expect(JSON.stringify(answer)).not.toMatch(/__ow_|planted/)
    }
  })

  it('do so in fired batches and for events, too', async () => {
    const { ow } = clients
    await ow.actions.update({ name: echo, action: 'function main(params) { return params }' })
    // Turns each message of the sequence into the result of an activation, as the rule does for the message about the
    // end of the batch.
    const components = [echo, '/guest/whisklens/classify', '/guest/whisklens/aggregate']
    await ow.actions.update({ name: 'whisklens/classify-images', sequence: components } as never)
    await ow.rules.update({ name: 'on-completed', trigger: '/_/batch-completed', action: echo })
    await fire({ batch: 'b1', prefix: 'photos/', force: true })
    expect((await clients.completed('b1')).totals).toMatchObject({ planned: 2, ok: 2 })
    await fire({ batch: 'b1', prefix: 'photos/', include: '*.{jpg,png}', retry: true })
    await fire({ batch: 'b3', prefix: 'photos/', force: true, maxCost: 100 })
    expect((await clients.completed('b3')).totals).toMatchObject({ planned: 2, ok: 2 })
    await fire({ batch: 'b2', prefix: 'photos/', model: 'no-such-model' })

    await clients.upload('events/palace.jpg', sample('palace'))
    const key = 'events/cat.jpg'
    await clients.upload(key, sample('cat'))
    const event = {
      Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'images' }, object: { key } } }],
    }
    expect((await visit('bucket-events', eventsToken, 'POST', event)).status).toBe(200)
    expect((await visit('bucket-events', marker, 'POST', event)).status).toBe(401)
    expect((await visit('results', local.connection.webToken, 'GET')).status).toBe(200)
    expect((await visit('predict', local.connection.webToken, 'POST', { image: marker })).status).toBe(400)
    const isDone = async () =>
      (await clients.keys('images/')).filter((name) => /events/.test(name)).length === 2
    await eventually(isDone, 'the images of the events')
  })
})

it('appear in no logs and results of activations, messages to others, or buckets', async () => {
  const { ow, store } = clients
  const found = (text: string): boolean => {
    const { auth } = local.connection
    return [marker, auth, Buffer.from(auth).toString('base64')].some((secret) => text.includes(secret))
  }
  const listed = (await ow.activations.list({ limit: 200 })) as unknown as Activation<object>[]
  const names = new Set(listed.map(({ name }) => name))
  for (const name of [
    'start-batch',
    'classify',
    'aggregate',
    'bucket-feed',
    'bucket-events',
    'echo',
    'results',
  ])
    expect(names).toContain(name)
  for (const { activationId, name } of listed) {
    // A trigger's activation contains its payload, which includes the headers planted by this test.
    if (name === 'batch-requested') continue
    const activation = await ow.activations.get({ name: activationId })
    // A rule passes the fire's headers to the echo. The headers of its own invocation do not matter.
    const result = { ...activation.response?.result, __ow_headers: undefined }
    const { authorization: _, ...passedOn } = activation.response?.result.__ow_headers ?? {}
    expect([name, found(JSON.stringify([activation.logs, result, passedOn]))]).toEqual([name, false])
  }
  for (const bucket of ['images', 'results']) {
    const { Contents = [] } = await store.listObjectsV2({ Bucket: bucket }).promise()
    expect(Contents.length).toBeGreaterThan(3)
    for (const { Key = '' } of Contents) {
      const { Body, ...rest } = await store.getObject({ Bucket: bucket, Key }).promise()
      expect([Key, found(Key + JSON.stringify(rest.Metadata) + Body)]).toEqual([Key, false])
    }
  }
  expect(found(local.stderr())).toBe(false)
})
