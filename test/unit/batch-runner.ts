import { readChunk, writePart } from '../../src/batch/chunk/parts'
import { resultsKey } from '../../src/batch/layout'
import { parseBatchRequest } from '../../src/batch/run/request'
import { startBatch } from '../../src/batch/run/start'
import type { Settings } from '../../src/config'
import type { Activation } from '../../src/openwhisk/activation'
import type { OpenWhisk } from '../../src/openwhisk/client'
import { type BatchSummary, rangeSchema } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { minutes, model, okRecord, silentOpenWhisk, type TestStore, textOf } from './batch-fixtures'

/**
 * `start-batch` with two new buckets and a platform that is done with a chunk as soon as it is given it. What it was
 * asked for is noted; all of it can be changed by a test.
 */
export interface Runner {
  photos: Bucket
  results: Bucket
  settings: Settings
  openwhisk: OpenWhisk
  /** The version of the model that answers. */
  version: string
  invoked: { name: string; params: object }[]
  fired: { trigger: string; params: object }[]
  /** Runs one activation. */
  start(asked: object, changes?: Partial<Activation>): Promise<BatchSummary>
  /** Does what a message to `classify-images` asks for. */
  report(message: object): Promise<void>
  /** The keys in `results.jsonl`. */
  keysOf(batch: string): Promise<string[]>
}

/** @param of whose buckets and platform to use, for another view of the same store */
export async function newRunner(objects: TestStore, of?: Runner): Promise<Runner> {
  const photos = await objects.newBucket()
  const results = await objects.newBucket()
  const runner: Runner = {
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
        return 'a1'
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
    start: async (asked, changes) => {
      // As a message comes to an action.
      const params = JSON.parse(JSON.stringify(asked))
      const { store } = objects
      const { openwhisk } = runner
      return startBatch(
        { ...parseBatchRequest(params), resume: params.resume === true },
        runner.settings,
        {
          id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
          deadline: Date.now() + minutes(5),
          namespace: 'guest',
          actionName: '/guest/whisklens/start-batch',
          ...changes,
        },
        { store, openwhisk, impatient: openwhisk },
      )
    },
    report: async (message) => {
      const { batch, chunk, start } = message as { batch: string; chunk: unknown; start: number }
      const images = await readChunk(results, batch, rangeSchema.parse(chunk))
      const records = images.map(({ bucket, key, etag = null }) =>
        okRecord(key, { bucket, etag, model: runner.version }),
      )
      await writePart(results, batch, start, records, 'a1')
    },
    keysOf: async (batch) =>
      ((await textOf(results, resultsKey(batch, 'results.jsonl'))) ?? '')
        .split('\n')
        .filter((line) => line)
        .map((line) => JSON.parse(line).key),
  }
  if (of) Object.assign(runner, { ...of, start: runner.start })
  return runner
}

/** Ends the activation after so many polls of a minute, so that the batch goes on in the next. */
export const soon = (polls: number): Partial<Activation> => ({
  deadline: Date.now() + 20_000 + minutes(polls),
})
