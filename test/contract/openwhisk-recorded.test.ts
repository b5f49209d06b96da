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
 * Exchanges that depend on `/whisk.system`, which the recorded server lacks, so that it answered 403 and this host does
 * not: an invocation of `utils/sort`, a sequence and a rule of `utils/echo`, a feed of `alarms/alarm`. They are skipped
 * because their effects would change later answers; openwhisk-system.test.ts covers such requests.
 */
const onWhiskSystem: Record<string, number[]> = { 'client-js-suite': [53, 54, 66, 103] }

/** The hosts offer different kinds; the form is the same. */
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

  // In recorded order, against the same server.
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
          // A fired trigger's actions run asynchronously.
          const isAsync = exchange.path.includes('/activations')
          await (isAsync ? eventually(() => replay(host, exchange)) : replay(host, exchange))
        })
      }
    })
  }
})
