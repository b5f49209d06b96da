import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { S3 } from 'ibm-cos-sdk'
import { unknownRecord } from '../../src/batch/chunk/record'
import { newPlan, openPlan, type Plan } from '../../src/batch/plan/plan'
import { settingsFromParams } from '../../src/config'
import { startObjectStore } from '../../src/local/store/server'
import { log } from '../../src/log'
import type { OpenWhisk } from '../../src/openwhisk/client'
import { batchRequestSchema, type ImageRecord } from '../../src/schema'
import { type Bucket, type ObjectInfo, openStore } from '../../src/storage/store'

log.level = 'silent'

/** An object store in a folder of its own; every bucket it gives is new. */
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
    /** The keys of uploads that were begun, and neither completed nor aborted. */
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
 * A bucket that tells of every request before it is made.
 * @param before may throw, and then the request is not made
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

/** A bucket and the requests made of it. */
export function counted(bucket: Bucket): { bucket: Bucket; requests: Request[] } {
  const requests: Request[] = []
  return { bucket: watched(bucket, (request) => requests.push(request)), requests }
}

/** A bucket whose listing is made up; everything else is the given one's. */
export const listing = (bucket: Bucket, list: Bucket['list']): Bucket =>
  new Proxy(bucket, { get: (target, name) => (name === 'list' ? list : Reflect.get(target, name)) })

/** Sets the clock, and only the clock: requests go on in real time. */
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

/** The record of an image that was classified without trouble. */
export const okRecord = (key: string, changes: Partial<ImageRecord> = {}): ImageRecord => ({
  ...unknownRecord(
    { bucket: 'photos', key, etag: 'v1', size: 3, lastModified: '2026-11-22T07:00:00.000Z' },
    { model, engine: 'wasm', activationId: 'a1', at: new Date('2026-11-22T08:00:00.000Z') },
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

/** The plan of a batch of that id over a bucket, nothing of it done yet. */
export const planOf = (bucket: string, asked: object = {}, changes: Partial<Plan> = {}): Plan => ({
  ...newPlan('b1', batchRequestSchema.parse(asked), {
    bucket,
    model: 'tiny',
    modelVersion: model,
    now: new Date('2026-11-22T08:00:00.000Z'),
  }),
  ...changes,
})

/** Stores a plan in place of what is there. */
export async function savePlan(results: Bucket, plan: Plan): Promise<void> {
  await (await openPlan(results, plan.batch)).save(plan)
}

/** The part of an activation's surroundings that tells of others in charge: there are none. */
export const unrivalled = (results: Bucket) => ({
  save: (plan: Plan) => savePlan(results, plan),
  renew: async () => true,
})

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

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

export async function* from<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values
}

export const textOf = async (bucket: Bucket, key: string): Promise<string | undefined> =>
  (await bucket.find(key))?.body.toString('utf8')

export const inBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/**
 * Keys that stores take and programs stumble over: prefixes of each other, folders, spaces, what URLs and XML escape,
 * and characters whose order in UTF-16 is not that of their UTF-8 bytes (～ U+FF5E and emoji).
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
