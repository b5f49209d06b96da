import { readChunk } from '../../src/batch/records/chunks'
import { writePart } from '../../src/batch/records/parts'
import { advance } from '../../src/batch/running/advance'
import { fire } from '../../src/batch/running/fire'
import { parseBatchRequest } from '../../src/batch/running/request'
import { resultsKey } from '../../src/batch/state/layout'
import type { Context } from '../../src/batch/state/platform'
import type { Settings } from '../../src/config'
import type { Activation } from '../../src/openwhisk/activation'
import type { OpenWhisk } from '../../src/openwhisk/client'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import type { Bucket, Store } from '../../src/storage/store'
import type { Webhook } from '../../src/webhook/send'
import {
  hastyClock,
  minutes,
  model,
  okRecord,
  silentOpenWhisk,
  type TestStore,
  textOf,
} from './batch-fixtures'

/**
 * `start-batch` with two new buckets and a platform that completes a chunk immediately. Invocations are recorded; tests may
 * change everything.
 */
export interface Runner {
  clock: ReturnType<typeof hastyClock>
  store: Store
  photos: Bucket
  results: Bucket
  settings: Settings
  openwhisk: OpenWhisk
  webhook?: Webhook
  /** The model version. */
  version: string
  invoked: { name: string; params: object }[]
  fired: { trigger: string; params: object }[]
  context(changes?: Partial<Activation>): Context
  /** Runs one activation. */
  start(asked: object, changes?: Partial<Activation>): Promise<BatchSummary>
  /** The result of classifying an image. */
  recordOf(key: string, etag: string | null): ImageRecord
  /** Executes a message to `classify-images`. */
  report(message: object): Promise<void>
  /** The records in `results.jsonl`. */
  recordsOf(batch: string): Promise<ImageRecord[]>
  keysOf(batch: string): Promise<string[]>
}

export async function newRunner(objects: TestStore): Promise<Runner> {
  const photos = await objects.newBucket()
  const results = await objects.newBucket()
  let activations = 0
  const runner: Runner = {
    clock: hastyClock(),
    store: objects.store,
    photos,
    results,
    settings: {
      ...objects.settings,
      model: 'tiny',
      imagesBucket: photos.name,
      resultsBucket: results.name,
    },
    version: model,
    invoked: [],
    fired: [],
    openwhisk: {
      ...silentOpenWhisk,
      invoke: async (name, params) => {
        runner.invoked.push({ name, params })
        if (name.endsWith('/classify-images')) await runner.report(params)
        return `a${runner.invoked.length}`
      },
      call: async (name, params) => {
        expect(name).toBe('/guest/whisklens/classify')
        expect(params).toEqual({ describe: true, model: runner.settings.model })
        return { model: runner.version, engine: 'wasm' }
      },
      fire: async (trigger, params) => {
        runner.fired.push({ trigger, params })
        return undefined
      },
    },
    context: (changes) => ({
      clock: runner.clock,
      random: Math.random,
      store: runner.store,
      results: runner.store.bucket(results.name),
      openwhisk: runner.openwhisk,
      webhook: runner.webhook,
      settings: runner.settings,
      activation: {
        id: (++activations).toString(16).padStart(32, 'a1b2c3d4e5f60718'),
        deadline: runner.clock.now() + minutes(5),
        namespace: 'guest',
        actionName: '/guest/whisklens/start-batch',
        ...changes,
      },
    }),
    start: async (asked, changes) => {
      // As an action receives it.
      const request = parseBatchRequest(JSON.parse(JSON.stringify(asked)))
      if (!('advance' in request)) return fire(request, runner.context(changes))
      const summary = await advance(request, runner.context(changes))
      if (!summary) throw new Error(`There is no batch "${request.advance}"`)
      return summary
    },
    recordOf: (key, etag) => okRecord(key, { bucket: photos.name, etag, model: runner.version }),
    report: async (message) => {
      const { batch, chunk, start, end } = message as {
        batch: string
        chunk: { start: number; end: number; epoch: number }
        start: number
        end: number
      }
      const images = (await readChunk(results, batch, chunk)).slice(start - chunk.start, end - chunk.start)
      const records = images.map(({ key, etag = null }) => runner.recordOf(key, etag))
      await writePart(results, batch, start, records, 'a1')
    },
    recordsOf: async (batch) =>
      ((await textOf(results, resultsKey(batch, 'results.jsonl'))) ?? '')
        .split('\n')
        .filter((line) => line)
        .map((line) => JSON.parse(line)),
    keysOf: async (batch) => (await runner.recordsOf(batch)).map(({ key }) => key),
  }
  return runner
}

/** Ends the activation this many milliseconds after it began, so that the batch continues in the next. */
export const soon = (runner: Runner, milliseconds = 20_000): Partial<Activation> => ({
  deadline: runner.clock.now() + 85_000 + milliseconds,
})
