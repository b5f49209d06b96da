import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as realSleep } from 'node:timers/promises'
import fc from 'fast-check'
import { S3 } from 'ibm-cos-sdk'
import { initialRecord } from '../../src/batch/records/record'
import { advance } from '../../src/batch/running/advance'
import type { Batch, OpenBatch, Window } from '../../src/batch/state/batch'
import { readBatch } from '../../src/batch/state/batch'
import { documentKey, summaryKey } from '../../src/batch/state/layout'
import type { Context } from '../../src/batch/state/platform'
import { newBatch, opened } from '../../src/batch/state/transitions'
import type { Clock } from '../../src/clock'
import { settingsFromParams } from '../../src/config'
import { startObjectStore } from '../../src/local/store/server'
import { log } from '../../src/log'
import type { OpenWhisk } from '../../src/openwhisk/client'
import { type BatchSummary, batchRequestSchema, type ImageRecord } from '../../src/schema'
import { type Bucket, type ObjectInfo, openStore, type Store } from '../../src/storage/store'

log.level = 'silent'

/** A window without any refusal. */
export const windowOf = (size: number): Window => ({
  size,
  isKnown: false,
  pausedUntil: 0,
  minute: 0,
  sent: 0,
  round: { at: 0, done: 0 },
})

/** An object store in its own folder; each bucket is new. */
export async function startTestStore() {
  const dataDir = await mkdtemp(join(tmpdir(), 'whisklens-batch-'))
  const credentials = { accessKeyId: 'access', secretAccessKey: 'secret' }
  const server = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
  const settings = settingsFromParams({
    s3Endpoint: server.endpoint,
    s3AccessKeyId: credentials.accessKeyId,
    s3SecretAccessKey: credentials.secretAccessKey,
  })
  const store = openStore(settings)
  let made = 0
  return {
    settings,
    store,
    async newBucket(): Promise<Bucket> {
      const bucket = store.bucket(`bucket-${++made}`)
      await bucket.createIfMissing()
      return bucket
    },
    /** Keys of uploads that are neither completed nor aborted. */
    async unfinishedUploads(bucket: Bucket): Promise<string[]> {
      const s3 = new S3({
        endpoint: server.endpoint,
        ...credentials,
        s3ForcePathStyle: true,
        signatureVersion: 'v4',
      })
      const { Uploads = [] } = await s3.listMultipartUploads({ Bucket: bucket.name }).promise()
      return Uploads.map(({ Key = '' }) => Key)
    },
    async close(): Promise<void> {
      await server.close()
      await rm(dataDir, { recursive: true })
    },
  }
}

export type TestStore = Awaited<ReturnType<typeof startTestStore>>

export interface Request {
  method: keyof Bucket
  key: string
}

/**
 * A bucket that reports every request before it is made.
 * @param before may throw, which prevents the request
 */
export function watched(bucket: Bucket, before: (request: Request) => void): Bucket {
  return new Proxy(bucket, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        before({ method: name as keyof Bucket, key: String(args[0]) })
        return value.apply(target, args)
      }
    },
  })
}

/** A bucket that records its requests. */
export function counted(bucket: Bucket): { bucket: Bucket; requests: Request[] } {
  const requests: Request[] = []
  return { bucket: watched(bucket, (request) => requests.push(request)), requests }
}

/** A bucket with a fake listing; everything else is real. */
export const listing = (bucket: Bucket, list: Bucket['list']): Bucket =>
  new Proxy(bucket, { get: (target, name) => (name === 'list' ? list : Reflect.get(target, name)) })

/** Sets only the clock: requests run in real time. */
export function setClock(now: string | number): void {
  jest.useFakeTimers({
    now: new Date(now),
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  })
}

export const advanceClock = (milliseconds: number): void => {
  jest.setSystemTime(Date.now() + milliseconds)
}

export const minutes = (count: number): number => count * 60_000

export const model = 'tiny@00c0ffee'

export const tabby = {
  label: 'tabby',
  className: 'tabby, tabby cat',
  wordnetId: 'n02123045',
  index: 281,
  probability: 0.75,
}

/** The record of a classified image. */
export const okRecord = (key: string, changes: Partial<ImageRecord> = {}): ImageRecord => ({
  ...initialRecord(
    { bucket: 'photos', key, etag: 'v1', size: 3, lastModified: '2026-11-22T07:00:00.000Z' },
    { model, engine: 'wasm', activationId: 'a1', at: Date.parse('2026-11-22T08:00:00.000Z') },
  ),
  status: 'ok',
  labels: [tabby],
  width: 2,
  height: 2,
  format: 'jpeg',
  timings: { download: 4, decode: 3, infer: 40 },
  ...changes,
})

/** The record of an image that could not be classified. */
export const errorRecord = (
  key: string,
  error: Partial<NonNullable<ImageRecord['error']>> = {},
  changes: Partial<ImageRecord> = {},
): ImageRecord =>
  okRecord(key, {
    status: 'error',
    labels: [],
    error: { code: 'image_corrupt', message: 'It ends too early', retryable: false, attempts: 1, ...error },
    ...changes,
  })

/** A new open batch over a bucket. */
export function batchOf(bucket: string, asked: object = {}, changes: BatchChanges = {}): OpenBatch {
  const request = batchRequestSchema.parse(asked)
  const startedAt = '2026-11-22T08:00:00.000Z'
  const made = newBatch({ batch: 'b1', kind: 'fired', request, requestId: 'a0', bucket, startedAt })
  const { plan, dispatch, ...others } = changes
  const open = opened({ ...made, revision: 1, writeId: 'w' }, { model: 'tiny', modelVersion: model })
  return {
    ...open,
    ...others,
    revision: 1,
    writeId: 'w',
    plan: { ...open.plan, ...plan },
    dispatch: { ...open.dispatch, ...dispatch },
  }
}

type BatchChanges = Partial<Omit<OpenBatch, 'plan' | 'dispatch'>> & {
  plan?: Partial<Batch['plan']>
  dispatch?: Partial<Batch['dispatch']>
}

/** This many images, all dispatched and none in flight. */
export const doneBatch = (bucket: string, planned: number, changes: BatchChanges = {}): OpenBatch =>
  batchOf(
    bucket,
    {},
    {
      ...changes,
      plan: { planned, listed: planned, done: true, ...changes.plan },
      dispatch: { next: planned, ...changes.dispatch },
    },
  )

/** A clock on which sleeping advances time, after pending work has run. */
export function hastyClock(now = Date.now()): Clock & { advance(milliseconds: number): void } {
  return {
    now: () => now,
    sleep: async (milliseconds) => {
      await realSleep(5)
      now += milliseconds
    },
    advance: (milliseconds) => {
      now += milliseconds
    },
  }
}

/** The context of an activation over a results bucket. */
export const contextOf = (store: Store, results: Bucket, changes: Partial<Context> = {}): Context => ({
  clock: hastyClock(),
  random: Math.random,
  store,
  results,
  openwhisk: silentOpenWhisk,
  settings: settingsFromParams({ resultsBucket: results.name }),
  activation: {
    id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
    deadline: Number.MAX_SAFE_INTEGER,
    namespace: 'guest',
    actionName: '/guest/whisklens/start-batch',
  },
  ...changes,
})

/** Closes an open batch like `start-batch`; all of it must have reported. */
export async function closeBatch(store: Store, results: Bucket, batch: Batch): Promise<BatchSummary> {
  await saveBatch(results, batch)
  const summary = await advance({ advance: batch.batch }, contextOf(store, results))
  if (!summary) throw new Error(`There is no summary of ${batch.batch}`)
  return summary
}

export const putSummary = (results: Bucket, summary: BatchSummary): Promise<string> =>
  results.put(summaryKey(summary.batch), JSON.stringify(summary))

/** Overwrites the stored batch, like another writer. */
export async function saveBatch(results: Bucket, batch: Batch): Promise<void> {
  const revision = ((await readBatch(results, batch.batch))?.revision ?? 0) + 1
  const body = JSON.stringify({ ...batch, revision, writeId: `w${revision}` })
  await results.put(documentKey(batch.batch), body)
}

export const silentOpenWhisk: OpenWhisk = {
  invoke: async () => 'activation',
  resultOf: async () => undefined,
  call: async () => ({}),
  fire: async () => undefined,
  memoryOf: async () => 256,
}

export const objectInfo = (key: string, changes: Partial<ObjectInfo> = {}): ObjectInfo => ({
  key,
  etag: 'v1',
  size: 3,
  lastModified: '2026-11-22T07:00:00.000Z',
  ...changes,
})

export { collect } from '../helpers/async'

export async function* from<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values
}

export const textOf = async (bucket: Bucket, key: string): Promise<string | undefined> =>
  (await bucket.find(key))?.body.toString('utf8')

export const inBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/**
 * Keys that stores accept and programs mishandle: prefixes of each other, folders, spaces, what URLs and XML escape,
 * and characters sorted differently in UTF-16 and UTF-8 (～ U+FF5E and emoji).
 */
export const anyKey: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'B',
      '/',
      ' ',
      '+',
      '%',
      '%20',
      '&',
      '<',
      '.',
      '-',
      'é',
      '～',
      '😀',
      '👩‍🚀',
      '\u2028',
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((pieces) => pieces.join(''))

export const anyKeys = (maxLength: number): fc.Arbitrary<string[]> =>
  fc.uniqueArray(anyKey, { maxLength, size: 'max' })
