import { rmSync } from 'node:fs'
import type { ApiHost } from '../../src/local/host/server'
import { auth, buildRuntime, eventually, startTestHost, temporaryFolder } from './api-host'
import { archive, Comparison, type Json, readRecording } from './recordings'

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

/**
 * What the recorded server, which has no `/whisk.system`, answered 403 to and we do not: an invocation of `utils/sort`, a
 * sequence and a rule of `utils/echo`, and a feed of `alarms/alarm`. They are not sent, for what follows does not expect
 * what they would leave behind; openwhisk-system.test.ts has their like.
 */
const onWhiskSystem: Record<string, number[]> = { 'client-js-suite': [53, 54, 66, 103] }

/** The kinds that the recorded server offers; ours offers what the zips run on, in the same form. */
const kindsOf = (response: Json): Json => ({
  ...(response as { [key: string]: Json }),
  runtimes: {
    nodejs: ['20', '22', '24'].map((version) => ({
      attached: true,
      default: version === '20',
      deprecated: false,
      image: `openwhisk/action-nodejs-v${version}:nightly`,
      kind: `nodejs:${version}`,
      requireMain: false,
    })),
  },
})

const comparison = new Comparison()

async function send(host: ApiHost, { method, path, query, contentType, body }: Exchange) {
  const url = new URL(comparison.withOurIds(path), host.url)
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
    body: method === 'GET' || body === null ? undefined : comparison.withOurIds(text),
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
  const recorded = exchange.path === '/' ? kindsOf(exchange.response) : exchange.response
  expect(comparison.differences(recorded, answer, 'response')).toEqual([])
}

describe('the API host answers like a recorded Apache OpenWhisk server', () => {
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
      for (const exchange of readRecording<Exchange>(session).filter(isReplayed)) {
        it(`${exchange.n} ${exchange.method} ${exchange.path} → ${exchange.status}`, async () => {
          // What a fired trigger sets off takes its time.
          const isAsync = exchange.path.includes('/activations')
          await (isAsync ? eventually(() => replay(host, exchange)) : replay(host, exchange))
        })
      }
    })
  }
})
