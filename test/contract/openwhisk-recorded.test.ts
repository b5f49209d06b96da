import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiHost } from '../../src/local/host/server'
import { auth, buildRuntime, eventually, startTestHost, temporaryFolder, zip } from './api-host'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

interface Exchange {
  n: number
  method: string
  path: string
  query: Record<string, string>
  contentType: string | null
  body: Json
  status: number
  responseType: string
  response: Json
}

const fixtures = join(__dirname, '../fixtures/openwhisk')
const readSession = (name: string): Exchange[] =>
  readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/**
 * What the recorded server, which has no `/whisk.system`, answered 403 to and we do not: an invocation of `utils/sort`, a
 * sequence and a rule of `utils/echo`, and a feed of `alarms/alarm`. They are not sent, for what follows does not expect
 * what they would leave behind; openwhisk-system.test.ts has their like.
 */
const onWhiskSystem: Record<string, number[]> = { 'client-js-suite': [53, 54, 66, 103] }

/** The archive whose base64 the recordings cut off. */
const archive = zip({ 'index.js': readFileSync(join(fixtures, 'action.js'), 'utf8') })

/** What a server makes up, by key; compared by type alone. */
const madeUp = new Set(['updated', 'start', 'end', 'duration', 'waitTime', 'build', 'buildno'])
const ids = /\b[0-9a-f]{32}\b/g
const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /

/** The recorded server's activation ids with ours, learned from the answers. */
const ourIds = new Map<string, string>()
const withOurIds = (text: string): string => text.replace(ids, (id) => ourIds.get(id) ?? id)

const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const keyOf = (value: Json): string => (isObject(value) ? String(value.key) : '')

/** Annotations and parameters are sets; whether a container was new is up to the server that has it. */
function asSet(list: Json[]): Json[] {
  if (!list.every((one) => isObject(one) && 'key' in one)) return list
  return list.filter((one) => keyOf(one) !== 'initTime').sort((a, b) => keyOf(a).localeCompare(keyOf(b)))
}

/** What of `ours` is not as `recorded`: one line a difference. */
function differences(recorded: Json, ours: Json, at: string): string[] {
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    const [left, right] = [asSet(recorded), asSet(ours)]
    if (left.length !== right.length) return [`${at}: ${left.length} elements, here ${right.length}`]
    return left.flatMap((one, i) => differences(one, right[i] as Json, `${at}[${keyOf(one) || i}]`))
  }
  if (isObject(recorded) && isObject(ours)) {
    const [left, right] = [recorded, ours].map((one) => Object.keys(one).sort().join())
    if (left !== right) return [`${at}: {${left}}, here {${right}}`]
    return Object.entries(recorded).flatMap(([key, value]) => {
      const isMadeUp =
        madeUp.has(key) || madeUp.has(keyOf(recorded)) || (key === 'code' && 'error' in recorded)
      if (isMadeUp) return typeof value === typeof ours[key] ? [] : [`${at}.${key}: ${typeof ours[key]}`]
      return differences(value, ours[key] as Json, `${at}.${key}`)
    })
  }
  if (typeof recorded === 'string' && typeof ours === 'string') return textDifferences(recorded, ours, at)
  return recorded === ours ? [] : [`${at}: ${JSON.stringify(recorded)}, here ${JSON.stringify(ours)}`]
}

function textDifferences(recorded: string, ours: string, at: string): string[] {
  const theirs = recorded.match(ids) ?? []
  const here = ours.match(ids) ?? []
  theirs.forEach((id, i) => {
    const known = ourIds.get(id)
    if (known === undefined && here[i]) ourIds.set(id, here[i])
  })
  if (stamp.test(recorded) && stamp.test(ours))
    return textDifferences(recorded.replace(stamp, ''), ours.replace(stamp, ''), at)
  const expected = recorded.endsWith('…') ? archive : withOurIds(recorded)
  return expected === ours ? [] : [`${at}: '${expected}', here '${ours}'`]
}

async function send(host: ApiHost, { method, path, query, contentType, body }: Exchange) {
  const url = new URL(withOurIds(path), host.url)
  url.search = new URLSearchParams(query).toString()
  const text = JSON.stringify(body)
    .replaceAll('<uuid:key>', auth)
    .replace(/"UEsDB[^"]*…"/, `"${archive}"`)
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(auth).toString('base64')}`,
      ...(contentType && { 'content-type': contentType }),
    },
    body: method === 'GET' || body === null ? undefined : withOurIds(text),
  })
  const answer = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    type,
    answer: type.startsWith('application/json') ? JSON.parse(answer) : answer,
  }
}

async function replay(host: ApiHost, exchange: Exchange): Promise<void> {
  const { status, type, answer } = await send(host, exchange)
  expect({ status, type }).toEqual({ status: exchange.status, type: exchange.responseType })
  expect(differences(exchange.response, answer, 'response')).toEqual([])
}

describe('the API host answers as a recorded Apache OpenWhisk server did', () => {
  const folder = temporaryFolder()
  let host: ApiHost

  beforeAll(async () => {
    host = await startTestHost(buildRuntime(folder))
  })
  afterAll(async () => {
    await host.close()
    rmSync(folder, { recursive: true })
  })

  // In the order they were recorded in, against the same server.
  for (const session of [
    'wskdeploy-deploy',
    'wskdeploy-redeploy',
    'wsk-commands',
    'wskdeploy-undeploy',
    'client-js-suite',
  ]) {
    describe(session, () => {
      const isReplayed = ({ n }: Exchange): boolean => !onWhiskSystem[session]?.includes(n)
      for (const exchange of readSession(session).filter(isReplayed)) {
        it(`${exchange.n} ${exchange.method} ${exchange.path} → ${exchange.status}`, async () => {
          // What a fired trigger sets off takes its time.
          const isAsync = exchange.path.includes('/activations')
          await (isAsync ? eventually(() => replay(host, exchange)) : replay(host, exchange))
        })
      }
    })
  }
})
