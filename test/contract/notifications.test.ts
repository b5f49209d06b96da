import type { Finding } from '../../src/cli/doctor/finding'
import { readSecrets } from '../../src/local/state'
import { type Clients, clientsOf, parseLines } from '../helpers/clients'
import { bodyOf, created, unknownShapes } from '../helpers/event-fixtures'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'

/*
 * Notifications in the form in which the platform passes them to `bucket-events`: JSON as parameters, text unchanged,
 * everything else in base64.
 */

let dataDir: string
let local: RunningLocal
let clients: Clients
let token: string

beforeAll(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  token = (await readSecrets(dataDir)).eventsToken
  // The images do not exist: the trigger is fired, but nothing is to be classified.
  await clients.ow.rules.disable({ name: 'on-image-uploaded' })
})
afterAll(async () => {
  await local.stop()
  await removeDataDir(dataDir)
})

async function post(body: string, type: string, headers = {}, method = 'POST') {
  const url = `${local.connection.apiHost}/api/v1/web/guest/whisklens/bucket-events?token=${token}`
  const answer = await fetch(url, { method, body, headers: { 'content-type': type, ...headers } })
  const { status } = answer
  return { status, allow: answer.headers.get('allow'), body: JSON.parse(await answer.text()) }
}

const types = [
  'application/json',
  'application/json; charset=UTF-8',
  'application/cloudevents+json',
  'text/plain; charset=UTF-8',
  'application/octet-stream',
  'application/x-amz-json-1.0',
]

const removedToo = new Set(['cloudflare-r2-queue-batch', 's3-one-bad-record-of-three'])

describe.each(types)('as %s', (type) => {
  it.each(Object.entries(created))('%s fires its images', async (name, images) => {
    const { status, body } = await post(bodyOf(name), type)
    expect(status).toBe(200)
    const { refused, ...counts } = body
    const received = images.length + (removedToo.has(name) ? 1 : 0)
    expect(counts).toEqual({ received, images: images.length, fired: images.length > 0 ? 1 : 0 })
    expect(refused?.length).toBe(name === 's3-one-bad-record-of-three' ? 1 : undefined)
  })

  it.each(unknownShapes)('%s is refused with the known formats', async (name) => {
    const { status, body } = await post(bodyOf(name), type)
    expect(status).toBe(400)
    expect(body.error).toMatchObject({
      code: 'event_unknown',
      message: expect.stringContaining('no known shape: its fields are topic'),
      hint: expect.stringContaining('Cloudflare R2 event'),
    })
  })
})

it('Eventarc’s binary form has its type in the headers', async () => {
  const { data, type } = JSON.parse(bodyOf('gcs-eventarc'))
  const headers = { 'ce-type': type, 'ce-specversion': '1.0', 'ce-id': '1' }
  expect((await post(JSON.stringify(data), 'application/json', headers)).body).toMatchObject({ fired: 1 })
})

it.each([
  ['{}', 'application/json', 'it is empty'],
  ['{"Records":', 'text/plain', 'is not a JSON object'],
  ['hello', 'application/octet-stream', 'is not a JSON object'],
  ['{"bucket": "images", "key": "a.jpg"}', 'application/x-www-form-urlencoded', 'was JSON sent as a form?'],
])('%s as %s is refused, without revealing its settings', async (text, type, reason) => {
  const { status, body } = await post(text, type)
  expect(status).toBe(400)
  expect(body.error.message).toContain(reason)
  expect(JSON.stringify(body)).not.toMatch(/s3Endpoint|eventsToken/)
})

it('another method is refused', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH'])
    expect(await post(bodyOf('minio'), 'application/json', {}, method)).toMatchObject({
      status: 405,
      allow: 'POST',
    })
})

it('a request without the token is refused and noted, without its content', async () => {
  const url = `${local.connection.apiHost}/api/v1/web/guest/whisklens/bucket-events?token=guess-of-a-stranger`
  const answer = await fetch(url, { method: 'POST', body: bodyOf('minio') })
  expect(answer.status).toBe(401)
  const noted = await clients.read('events/refused.json')
  expect(noted).toContain('a request had no valid token')
  expect(noted).not.toContain('stranger')
})

it('refusals are logged, and shown by doctor', async () => {
  await post(bodyOf('azure-event-grid'), 'application/json')
  const { body } = await post(bodyOf('s3-one-bad-record-of-three'), 'text/plain')
  expect(body.refused).toEqual([{ at: 'Records[1]', reason: expect.stringContaining('s3.object.key') }])
  const refusals = await eventually(async () => {
    const activations = await clients.ow.activations.list({
      name: 'whisklens/bucket-events',
      limit: 20,
    } as never)
    const logs = await Promise.all(
      activations.map(({ activationId: name }) => clients.ow.activations.logs({ name })),
    )
    const lines = logs.flatMap((each) => (each as unknown as { logs: string[] }).logs).join('\n')
    return lines.includes('part of a notification was refused') && lines
  }, 'the log')
  expect(refusals).toContain('Records[1]')
  expect(refusals).toContain('a notification was refused')
  // Without a valid model, the engine checks end immediately.
  const { stdout } = await whisklens(['doctor', '--json', '--data', dataDir], { WHISKLENS_MODEL: 'nonsense' })
  const findings = parseLines<Finding>(stdout)
  expect(findings.find(({ name }) => name === 'notifications')).toMatchObject({
    state: 'absent',
    detail: expect.stringMatching(/^refused at 20.*; refused at .*; and \d others in the last week$/),
    hint: expect.stringContaining('docs/events.md'),
  })
})
