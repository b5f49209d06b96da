import type { ImageRef, Range } from '../../schema'
import { sha256Of } from '../../sha256'

/*
 * The keys of the results bucket. Ten digits keep positions sorted as text for ten billion images.
 */

export const position = (value: number): string => String(value).padStart(10, '0')

/** The newest records of a bucket's images for one model version. */
export const recordsPrefix = (model: string, bucket: string): string => `images/${model}/${bucket}/`

/** S3 limits keys to 1,024 bytes, and a record's key is longer than its image's; long ones are hashed. */
const inFolder = (folder: string, model: string, { bucket, key }: Pick<ImageRef, 'bucket' | 'key'>) => {
  const name = `${folder}/${model}/${bucket}/${key}`
  return Buffer.byteLength(name) <= 1024 ? name : `long-${folder}/${model}/${bucket}/${sha256Of(key)}`
}

export const recordKey = (model: string, image: Pick<ImageRef, 'bucket' | 'key'>): string =>
  inFolder('images', model, image).replace(/^long-images/, 'long')

/** Notes of retryable failures, in the order of the images' keys. */
export const retryPrefix = (model: string, bucket: string): string => `retry/${model}/${bucket}/`
export const retryKey = (model: string, image: Pick<ImageRef, 'bucket' | 'key'>): string =>
  inFolder('retry', model, image)

export const thumbnailsPrefix = 'thumbnails/'
/**
 * The thumbnail of an image version. Another version has another key, so responses can be cached for ever.
 * @param extension of its format
 */
export const thumbnailKey = (bucket: string, key: string, etag: string, extension: string): string =>
  `${thumbnailsPrefix}${bucket}/${sha256Of(JSON.stringify([key, etag])).slice(0, 32)}.${extension}`

export const batchFolder = (batch: string): string => `batches/${batch}/`
export const documentKey = (batch: string): string => `${batchFolder(batch)}batch.json`
export const summaryKey = (batch: string): string => `${batchFolder(batch)}summary.json`

/** An empty index entry for each run whose end is not announced. */
export const openPrefix = 'open/'
/** Ids contain no tilde. Entries are per run: a late deletion must not hide a later run. */
export const openKey = (batch: string, run: number): string => `${openPrefix}${batch}~${run}`

/** The message of each run that the webhook has not accepted. */
export const webhooksPrefix = 'webhooks/'

/** The key of a message, parsed. */
export interface WebhookEntry {
  batch: string
  run: number
  /** Activations that failed to deliver it. */
  tried: number
}
export const webhookKey = ({ batch, run, tried }: WebhookEntry): string =>
  `${webhooksPrefix}${batch}~${run}~${tried}`

/** Parses the key of a message; undefined for any other. */
export function parseWebhookKey(key: string): WebhookEntry | undefined {
  const match = /^webhooks\/([^/~]+)~(\d+)~(\d+)$/.exec(key)
  return match ? { batch: match[1] ?? '', run: Number(match[2]), tried: Number(match[3]) } : undefined
}

/** The key of a chunk, parsed: its positions, and the batch's revision when its planning began. */
export interface Chunk extends Range {
  epoch: number
}
export const chunksPrefix = (batch: string): string => `${batchFolder(batch)}chunks/`
export const chunkKey = (batch: string, { start, end, epoch }: Chunk): string =>
  `${chunksPrefix(batch)}${position(start)}-${position(end)}-${epoch}.jsonl`

/** Parses the key of a chunk; undefined for any other. */
export function parseChunkKey(key: string): Chunk | undefined {
  const match = /\/chunks\/(\d{10})-(\d{10})-(\d+)\.jsonl$/.exec(key)
  return match ? { start: Number(match[1]), end: Number(match[2]), epoch: Number(match[3]) } : undefined
}

/** The key of a part, parsed: its positions, and the number of error records. */
export interface Part extends Range {
  key: string
  errors: number
}
export const partsPrefix = (batch: string): string => `${batchFolder(batch)}parts/`

/** Several activations may write parts of one range; the first name wins. */
export const partKey = (
  batch: string,
  { start, end, errors }: Omit<Part, 'key'>,
  activationId: string,
): string => `${partsPrefix(batch)}${position(start)}-${position(end)}-${errors}-${activationId}.jsonl`

/** Parses the key of a part; undefined for any other. */
export function parsePartKey(key: string): Part | undefined {
  const match = /\/parts\/(\d{10})-(\d{10})-(\d+)-[^/]*\.jsonl$/.exec(key)
  return match ? { key, start: Number(match[1]), end: Number(match[2]), errors: Number(match[3]) } : undefined
}

/** The sorted portions of a run's list of images. */
export const listPrefix = (batch: string): string => `${batchFolder(batch)}list/`
/** The `n`th portion of a run. `epoch` is the batch's revision when planning began. */
export const listKey = (
  batch: string,
  { run, n, epoch }: { run: number; n: number; epoch: number },
): string => `${listPrefix(batch)}${run}-${position(n)}-${epoch}.jsonl`

export const resultsNames = ['results.jsonl', 'results.csv', 'errors.jsonl', 'index.bin'] as const
export type ResultsName = (typeof resultsNames)[number]
export const resultsKey = (batch: string, file: ResultsName): string => batchFolder(batch) + file

/** Query results too large for a response, as one file. */
export const exportKey = (batch: string, query: string, file: string): string =>
  `${batchFolder(batch)}exports/${sha256Of(query).slice(0, 16)}/${file}`

/** Recent indexes of an open batch, by content. */
export const openIndexPrefix = (batch: string): string => `${batchFolder(batch)}exports/index/`
export const openIndexKey = (batch: string, id: string): string => `${openIndexPrefix(batch)}${id}.bin`

/** The segments of a closing run's files. */
export const closingPrefix = (batch: string): string => `${batchFolder(batch)}closing/`
/** The `n`th segment of a run, written in an epoch. */
export const segmentKey = (
  batch: string,
  { run, n, epoch }: { run: number; n: number; epoch: number },
  file: ResultsName | 'state.json',
): string => `${closingPrefix(batch)}${run}-${position(n)}-${epoch}/${file}`
