import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../actions/results'
import { writePart } from '../../src/batch/records/parts'
import { progressOf } from '../../src/batch/reports/progress'
import { type Settings, settingsFromEnvironment } from '../../src/config'
import { readCors } from '../../src/local/policies'
import { startObjectStore } from '../../src/local/store/server'
import type { WebRequest, WebResponse } from '../../src/openwhisk/web'
import type { ImageRecord } from '../../src/schema'
import { openStore } from '../../src/storage/store'
import { closeBatch, doneBatch, putSummary, saveBatch } from '../unit/batch-fixtures'

export const token = 'results-token-5d41402a'
const secretAccessKey = 'store-secret-7d793037'
/** Values that must not appear in any answer. */
export const secrets = [token, secretAccessKey, 'events-token-acbd18db']

/** The embedded object store with empty buckets, and the settings of a deployment that uses it. */
export async function startStore() {
  const dataDir = await mkdtemp(join(tmpdir(), 'whisklens-results-'))
  const credentials = { accessKeyId: 'whisklens-key', secretAccessKey }
  const server = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
  const settings: Settings = {
    ...settingsFromEnvironment({}),
    s3Endpoint: server.endpoint,
    s3AccessKeyId: credentials.accessKeyId,
    s3SecretAccessKey: secretAccessKey,
    resultsToken: token,
    eventsToken: 'events-token-acbd18db',
  }
  const store = openStore(settings)
  const [images, results] = [store.bucket(settings.imagesBucket), store.bucket(settings.resultsBucket)]
  await Promise.all([images.createIfMissing(), results.createIfMissing()])
  const close = async () => {
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  /** Sets the documented CORS rules for an origin on both buckets. */
  const allow = async (origin: string) => {
    const rules = await readCors([origin])
    for (const bucket of [settings.imagesBucket, settings.resultsBucket]) server.setCors(bucket, rules)
  }
  return { settings, images, results, allow, close }
}
export type TestStore = Awaited<ReturnType<typeof startStore>>

/** Parameters of a web request as the platform passes them: all query values are text. */
export const requestOf = (
  settings: Partial<Settings>,
  query: Record<string, string> = {},
  { method = 'get', headers = { authorization: `Bearer ${token}` } as Record<string, string> } = {},
): WebRequest => ({ ...settings, __ow_method: method, __ow_headers: headers, __ow_path: '', ...query })

const names = ['tiger cat', 'Egyptian cat', 'tabby', 'lynx', 'Persian cat']

/** A record whose top label is `label`. */
export const recordOf = (key: string, label = 'espresso', probability = 0.75): ImageRecord => ({
  schema: 'whisklens.record/1',
  bucket: 'images',
  key,
  etag: '0123456789abcdef0123456789abcdef',
  size: 54_321,
  lastModified: '2026-11-22T07:00:00.000Z',
  model: 'efficientnet-lite0@0a1b2c3d',
  engine: 'wasm',
  status: 'ok',
  labels: [label, ...names.filter((name) => name !== label)].slice(0, 5).map((name, index) => ({
    label: name,
    className: name === 'lynx' ? 'lynx, catamount' : name,
    wordnetId: 'n02123045',
    index: 281 + index,
    probability: index === 0 ? probability : ((1 - probability) * (5 - index)) / 12,
  })),
  width: 640,
  height: 480,
  format: 'jpeg',
  timings: { download: 12, decode: 5, infer: 37 },
  activationId: 'a'.repeat(32),
  at: '2026-11-22T07:30:00.000Z',
})

export const errorOf = (key: string, code: string, message: string): ImageRecord => ({
  ...recordOf(key),
  status: 'error',
  labels: [],
  width: null,
  height: null,
  format: null,
  error: { code, message, retryable: false, attempts: 1 },
})

const batchOf = (batch: string, planned: number, startedAt: string) => ({
  ...doneBatch('images', planned, { batch, startedAt }),
  model: { model: 'efficientnet-lite0', modelVersion: 'efficientnet-lite0@0a1b2c3d' },
})

/** Writes a batch with all its records and closes it like `start-batch`. The records must be in key order. */
export async function writeClosed(
  { settings, results }: TestStore,
  batch: string,
  records: ImageRecord[],
  startedAt = '2026-11-22T07:29:00.000Z',
) {
  await writePart(results, batch, 0, records, 'b'.repeat(32))
  return closeBatch(openStore(settings), results, batchOf(batch, records.length, startedAt))
}

/** Writes a running batch with some of its records. */
export async function writeRunning(
  { results }: TestStore,
  batch: string,
  records: ImageRecord[],
  planned: number,
  startedAt = '2026-11-22T07:29:00.000Z',
) {
  const running = batchOf(batch, planned, startedAt)
  const rest = { start: records.length, end: planned }
  const chunk = { ...rest, epoch: 1 }
  running.dispatch.pieces = [{ ...rest, chunk, at: Date.now(), attempts: 1, by: 1, activationId: 'c' }]
  running.dispatch.errors = records.filter(({ status }) => status === 'error').length
  await saveBatch(results, running)
  await writePart(results, batch, 0, records, 'b'.repeat(32))
  await putSummary(results, progressOf(running))
  return running
}

/** Serves the action over HTTP, like a platform. */
export async function serveAction(settings: Settings) {
  const server = createServer(async (incoming, outgoing) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost')
    if (pathname !== '/results') return outgoing.writeHead(404).end()
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
    )
    const method = (incoming.method ?? 'GET').toLowerCase()
    const answer: WebResponse = await main(
      requestOf(settings, Object.fromEntries(searchParams), { method, headers }),
    )
    const { statusCode, body } = answer
    outgoing.writeHead(statusCode, answer.headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/results`,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
