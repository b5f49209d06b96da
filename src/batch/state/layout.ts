import type { ImageRef, Range } from '../../schema'
import { sha256Of } from '../../sha256'

/*
 * Where everything lies in the results bucket. Ten digits keep positions in order as text for ten billion images.
 */

export const position = (value: number): string => String(value).padStart(10, '0')

/** Under this prefix lie the newest records of a bucket's images for one version of a model. */
export const recordsPrefix = (model: string, bucket: string): string => `images/${model}/${bucket}/`

/** S3 allows keys of 1,024 bytes; a record's key is longer than its image's. */
const inFolder = (folder: string, model: string, { bucket, key }: Pick<ImageRef, 'bucket' | 'key'>) => {
  const name = `${folder}/${model}/${bucket}/${key}`
  return Buffer.byteLength(name) <= 1024 ? name : `long-${folder}/${model}/${bucket}/${sha256Of(key)}`
}

/** The newest record of an image. */
export const recordKey = (model: string, image: Pick<ImageRef, 'bucket' | 'key'>): string =>
  inFolder('images', model, image).replace(/^long-images/, 'long')

/** Under this prefix lies what failed in passing, in the order of its images' keys. */
export const retryPrefix = (model: string, bucket: string): string => `retry/${model}/${bucket}/`
export const retryKey = (model: string, image: Pick<ImageRef, 'bucket' | 'key'>): string =>
  inFolder('retry', model, image)

/** Under this prefix lie thumbnails of images. */
export const thumbnailsPrefix = 'thumbnails/'
/**
 * The thumbnail of a version of an image: of another version it lies elsewhere, so that it can be cached for ever.
 * @param extension by format
 */
export const thumbnailKey = (bucket: string, key: string, etag: string, extension: string): string =>
  `${thumbnailsPrefix}${bucket}/${sha256Of(JSON.stringify([key, etag])).slice(0, 32)}.${extension}`

export const batchFolder = (batch: string): string => `batches/${batch}/`
export const documentKey = (batch: string): string => `${batchFolder(batch)}batch.json`
export const summaryKey = (batch: string): string => `${batchFolder(batch)}summary.json`

/** Under this prefix lies an empty entry for each run of a batch whose end is not announced yet. */
export const openPrefix = 'open/'
/** No id of a batch holds a tilde. Runs have entries of their own: a late deletion must not hide a later run. */
export const openKey = (batch: string, run: number): string => `${openPrefix}${batch}~${run}`

/** Under this prefix lies, for each run whose end the webhook has not accepted yet, the body of its message. */
export const webhooksPrefix = 'webhooks/'

/** A message by its name. */
export interface WebhookEntry {
  batch: string
  run: number
  /** Activations that have tried to deliver it, and did not. */
  tried: number
}
export const webhookKey = ({ batch, run, tried }: WebhookEntry): string =>
  `${webhooksPrefix}${batch}~${run}~${tried}`

/** What a message's name states, or undefined for a key that is none. */
export function parseWebhookKey(key: string): WebhookEntry | undefined {
  const match = /^webhooks\/([^/~]+)~(\d+)~(\d+)$/.exec(key)
  return match ? { batch: match[1] ?? '', run: Number(match[2]), tried: Number(match[3]) } : undefined
}

/** A chunk by its name: the positions of its images, and the revision of the batch when its planning began. */
export interface Chunk extends Range {
  epoch: number
}
export const chunksPrefix = (batch: string): string => `${batchFolder(batch)}chunks/`
export const chunkKey = (batch: string, { start, end, epoch }: Chunk): string =>
  `${chunksPrefix(batch)}${position(start)}-${position(end)}-${epoch}.jsonl`

/** What a chunk's name states, or undefined for a key that is no chunk. */
export function parseChunkKey(key: string): Chunk | undefined {
  const match = /\/chunks\/(\d{10})-(\d{10})-(\d+)\.jsonl$/.exec(key)
  return match ? { start: Number(match[1]), end: Number(match[2]), epoch: Number(match[3]) } : undefined
}

/** A part by its name alone: what it holds, and how many of its records are errors. */
export interface Part extends Range {
  key: string
  errors: number
}
export const partsPrefix = (batch: string): string => `${batchFolder(batch)}parts/`

/** Parts of one range by several activations lie side by side; the first name wins. */
export const partKey = (
  batch: string,
  { start, end, errors }: Omit<Part, 'key'>,
  activationId: string,
): string => `${partsPrefix(batch)}${position(start)}-${position(end)}-${errors}-${activationId}.jsonl`

/** What a part's name states, or undefined for a key that is no part. */
export function parsePartKey(key: string): Part | undefined {
  const match = /\/parts\/(\d{10})-(\d{10})-(\d+)-[^/]*\.jsonl$/.exec(key)
  return match ? { key, start: Number(match[1]), end: Number(match[2]), errors: Number(match[3]) } : undefined
}

/** Under this prefix lie the sorted portions of the list of images that a run was fired with. */
export const listPrefix = (batch: string): string => `${batchFolder(batch)}list/`
/** The `n`th portion of a run, as it was planned from a revision of the batch on. */
export const listKey = (
  batch: string,
  { run, n, epoch }: { run: number; n: number; epoch: number },
): string => `${listPrefix(batch)}${run}-${position(n)}-${epoch}.jsonl`

export const resultsNames = ['results.jsonl', 'results.csv', 'errors.jsonl', 'index.bin'] as const
export type ResultsName = (typeof resultsNames)[number]
export const resultsKey = (batch: string, file: ResultsName): string => batchFolder(batch) + file

/** What an answer of `results` had no room for: the records that a query selected, as one file. */
export const exportKey = (batch: string, query: string, file: string): string =>
  `${batchFolder(batch)}exports/${sha256Of(query).slice(0, 16)}/${file}`

/** Under this prefix lie the latest indexes of a batch that is open, each by what it holds. */
export const openIndexPrefix = (batch: string): string => `${batchFolder(batch)}exports/index/`
export const openIndexKey = (batch: string, id: string): string => `${openIndexPrefix(batch)}${id}.bin`

/** Under this prefix lie the segments that a closing makes its files of. */
export const closingPrefix = (batch: string): string => `${batchFolder(batch)}closing/`
/** The `n`th segment of a run, as the holder of an epoch wrote it. */
export const segmentKey = (
  batch: string,
  { run, n, epoch }: { run: number; n: number; epoch: number },
  file: ResultsName | 'state.json',
): string => `${closingPrefix(batch)}${run}-${position(n)}-${epoch}/${file}`
