import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import S3 from 'ibm-cos-sdk/clients/s3'
import pLimit from 'p-limit'
import { readSecrets } from '../../src/local/state'
import { startObjectStore } from '../../src/local/store/server'
import type { BatchSummary } from '../../src/schema'
import { type Clients, clientsOf, parseLines } from './clients'
import { newDataDir, removeDataDir, startLocalMode } from './local-mode'
import { photo } from './photos'

/** Prefix of the planted images. */
export const prefix = 'photos/'

export const keyOf = (number: number): string => `${prefix}${String(number).padStart(5, '0')}.jpg`

/** One image in this many cannot be decoded. */
const brokenEvery = 40

/** The image with a number, deterministic: usually a photo, sometimes a broken one. */
export async function imageOf(number: number): Promise<Buffer> {
  const whole = await photo(number)
  if (number % brokenEvery !== 7) return whole
  const broken = [whole.subarray(0, whole.length / 2), Buffer.from('this is no image'), Buffer.alloc(0)]
  return broken[Math.floor(number / brokenEvery) % broken.length] as Buffer
}

/** Records as lines, without the fields that differ between runs. */
export const essence = (records: string): string[] =>
  parseLines<Record<string, unknown>>(records).map(({ timings: _, activationId: __, at: ___, ...rest }) =>
    JSON.stringify({ ...rest, error: rest.error && { ...rest.error, attempts: undefined } }),
  )

/** The first line that differs: a diff of thousands of lines would be unreadable. */
export function firstDifference(found: string[], expected: string[]): object | undefined {
  const length = Math.max(found.length, expected.length)
  const line = Array.from({ length }, (_, at) => at).find((at) => found[at] !== expected[at])
  return line === undefined ? undefined : { line, found: found[line], expected: expected[line] }
}

/** Expected outcome of a batch of the planted images. */
export interface Outcome {
  results: string[]
  errors: string[]
  summary: Pick<BatchSummary, 'totals' | 'labels' | 'errors'>
}

export async function outcomeOf(batch: string, { read, summaryOf }: Clients): Promise<Outcome> {
  const file = async (name: string) => essence((await read(`batches/${batch}/${name}`)) ?? '')
  const { totals, labels, errors } = (await summaryOf(batch)) as BatchSummary
  const summary = { totals, labels, errors }
  return { results: await file('results.jsonl'), errors: await file('errors.jsonl'), summary }
}

/** The newest record of each image, in key order. */
export async function newestRecords({ keys, read }: Clients): Promise<string[]> {
  const limit = pLimit(8)
  const records = (await keys('images/')).map((key) => limit(() => read(key)))
  return essence((await Promise.all(records)).join('\n'))
}

/** Unclassified images in a local mode's data folder. */
export interface Planted {
  /** Outcome of a batch without faults. */
  expected: Outcome
  /** A new data folder with the same images and modification times. */
  copy(): Promise<string>
  remove(): Promise<void>
}

/** Fills a store, and runs a batch without faults over it. */
export async function plant(images: number): Promise<Planted> {
  const folder = await newDataDir()
  await fillStore(folder, images)
  const copy = async (): Promise<string> => {
    const dataDir = await newDataDir()
    await cp(folder, dataDir, { recursive: true })
    return dataDir
  }
  const dataDir = await copy()
  const local = await startLocalMode(dataDir)
  const clients = clientsOf(local.connection)
  await clients.fire('calm', { prefix })
  await clients.completed('calm')
  const expected = await outcomeOf('calm', clients)
  await local.stop()
  await removeDataDir(dataDir)
  return { expected, copy, remove: () => removeDataDir(folder) }
}

/** Runs the store alone, so that these uploads fire no trigger. */
async function fillStore(folder: string, images: number): Promise<void> {
  const credentials = await readSecrets(folder)
  const options = { dataDir: join(folder, 'store'), port: 0, region: 'us-east-1', credentials }
  const store = await startObjectStore(options)
  const { endpoint } = store
  const s3 = new S3({ endpoint, ...credentials, s3ForcePathStyle: true, signatureVersion: 'v4' })
  await s3.createBucket({ Bucket: 'images' }).promise()
  const limit = pLimit(4)
  const upload = async (number: number) =>
    s3.putObject({ Bucket: 'images', Key: keyOf(number), Body: await imageOf(number) }).promise()
  await Promise.all(Array.from({ length: images }, (_, number) => limit(upload, number)))
  await store.close()
}
