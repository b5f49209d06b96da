import { rmSync } from 'node:fs'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { ApiHost } from '../../src/local/host/server'
import { auth, buildRuntime, clientOf, eventually, startTestHost, temporaryFolder } from './api-host'
import { Comparison, type Json, readRecording } from './recordings'

/* What an action received on a recorded server, and the activation records. */

interface Seen {
  how: string
  answer: Json
  [record: string]: Json
}

const basic = `Basic ${Buffer.from(auth).toString('base64')}`
// Headers of the recording.
const user = { authorization: basic, accept: '*/*', 'user-agent': 'curl/7.88.1' }
const anonymous = { accept: '*/*', 'user-agent': 'curl/7.88.1' }

const folder = temporaryFolder()
const [direct, ruled, sequenced, web, raw, unruled] = readRecording<Seen>('what-actions-see')
const comparison = new Comparison(new Set(['__OW_DEADLINE', '__OW_TRANSACTION_ID', 'size']))
let host: ApiHost

const code = `function main(seen) {
  console.log('seen')
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('__OW_')))
  return { env, seen }
}`

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
  const ow = clientOf(host)
  await ow.packages.update({ name: 'see', package: { parameters: [{ key: 'bound', value: 1 }] } } as never)
  const deploy = (name: string, annotations: object, params = {}) =>
    ow.actions.update({ name: `see/${name}`, action: code, params, annotations } as never)
  await deploy('see', { 'provide-api-key': true }, { own: 2 })
  await deploy('web', { 'web-export': true })
  await deploy('raw', { 'web-export': true, 'raw-http': true })
  await ow.actions.update({ name: 'see/seq', sequence: ['/_/see/see', '/_/see/see'] } as never)
  await ow.triggers.update({
    name: 'see-t',
    trigger: { parameters: [{ key: 'default', value: 3 }] },
  } as never)
  await ow.triggers.update({ name: 'see-s' })
  await ow.triggers.update({ name: 'see-none' })
  await ow.rules.update({ name: 'see-r', trigger: 'see-t', action: 'see/see' })
  await ow.rules.update({ name: 'see-rs', trigger: 'see-s', action: 'see/seq' })
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

/** Sends exactly these headers. */
async function send(method: string, path: string, headers: Record<string, string>, body = '') {
  const outgoing = request(`${host.url}/api/v1/${path}`, { method, headers })
  outgoing.removeHeader('connection')
  const answer = new Promise<{ status?: number; body: string }>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (incoming) => {
      text(incoming).then((body) => resolve({ status: incoming.statusCode, body }), reject)
    })
  })
  outgoing.end(body)
  return answer
}

/** Normalizes an answer for comparison: recorded host, no key. */
function asRecorded(body: string): Json {
  const hidden = body
    .replaceAll(auth, '00000000-0000-4000-8000-000000000000:KEY')
    .replaceAll(basic, 'Basic BASE64-OF-THE-KEY')
  return JSON.parse(hidden.replaceAll(new URL(host.url).host, '127.0.0.1:3233'))
}

const json = { ...user, 'content-type': 'application/json' }
const post = async (path: string): Promise<Json> =>
  asRecorded((await send('POST', `namespaces/_/${path}`, json, '{"a":1}')).body)

/** Waits for the activation that corresponds to a recorded one. */
const record = (recorded: Json | undefined): Promise<Json> =>
  eventually(async () => {
    const { activationId } = recorded as { activationId: string }
    const path = `namespaces/_/activations/${comparison.withOurIds(activationId)}`
    const { status, body } = await send('GET', path, user)
    expect(status).toBe(200)
    return asRecorded(body)
  })

const differences = (recorded: Json | undefined, ours: Json, at: string): string[] =>
  comparison.differences(recorded ?? null, ours, at)

describe('an action sees the same as on a recorded Apache OpenWhisk server', () => {
  it('invoked', async () => {
    expect(differences(direct?.answer, await post('actions/see/see?blocking=true'), 'answer')).toEqual([])
  })

  it.each([
    ['alone', 'see-t', ruled, ['trigger activation', 'action activation']],
    ['as a sequence', 'see-s', sequenced, ['trigger activation', 'sequence activation', 'second component']],
  ])('by a rule, %s', async (_, trigger, recorded, names) => {
    expect(differences(recorded?.answer, await post(`triggers/${trigger}`), 'answer')).toEqual([])
    for (const name of names) {
      expect(differences(recorded?.[name], await record(recorded?.[name]), name)).toEqual([])
    }
  })

  it('over the web', async () => {
    const { body } = await send('GET', 'web/guest/see/web.json?q=1', anonymous)
    expect(differences(web?.answer, asRecorded(body), 'answer')).toEqual([])
  })

  it('over the web, raw', async () => {
    const headers = { ...anonymous, 'content-type': 'text/plain' }
    const { body } = await send('POST', 'web/guest/see/raw.json?q=1', headers, 'hello')
    expect(differences(raw?.answer, asRecorded(body), 'answer')).toEqual([])
  })

  it('not at all without a rule', async () => {
    const { status } = await send('POST', 'namespaces/_/triggers/see-none', json, '{"a":1}')
    expect(String(status)).toBe(unruled?.answer)
  })
})
