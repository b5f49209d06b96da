import { createHash } from 'node:crypto'
import type { ImageRef, Range } from '../schema'

/*
 * Where everything lies in the results bucket. Ten digits keep positions in order as text for ten billion images.
 */

const position = (value: number): string => String(value).padStart(10, '0')

/** Under this prefix lie the newest records of a bucket's images for one version of a model. */
export const recordsPrefix = (model: string, bucket: string): string => `images/${model}/${bucket}/`

/** S3 allows keys of 1,024 bytes; a record's key is longer than its image's. */
export function recordKey(model: string, { bucket, key }: Pick<ImageRef, 'bucket' | 'key'>): string {
  const name = recordsPrefix(model, bucket) + key
  if (Buffer.byteLength(name) <= 1024) return name
  return `long/${model}/${bucket}/${createHash('sha256').update(key).digest('hex')}`
}

export const batchFolder = (batch: string): string => `batches/${batch}/`
export const planKey = (batch: string): string => `${batchFolder(batch)}plan.json`
export const leaseKey = (batch: string): string => `${batchFolder(batch)}lease.json`
/** Its presence asks whoever is in charge to end the batch. */
export const cancelKey = (batch: string): string => `${batchFolder(batch)}cancel.json`
export const summaryKey = (batch: string): string => `${batchFolder(batch)}summary.json`
export const partsPrefix = (batch: string): string => `${batchFolder(batch)}parts/`

export const chunkKey = (batch: string, { start, end }: Range): string =>
  `${batchFolder(batch)}chunks/${position(start)}-${position(end)}.jsonl`

/** A part by its name alone: what it holds, and how many of its records are errors. */
export interface Part extends Range {
  key: string
  errors: number
}

/** Parts of one range by several activations lie side by side; the first name wins. */
export const partKey = (
  batch: string,
  { start, end, errors }: Omit<Part, 'key'>,
  activationId: string,
): string => `${partsPrefix(batch)}${position(start)}-${position(end)}-${errors}-${activationId}.jsonl`

/** All parts that begin at `start` or later come after this key. */
export const partsFrom = (batch: string, start: number): string => `${partsPrefix(batch)}${position(start)}`

/** What a part's name states, or undefined for a key that is no part of a planned batch. */
export function parsePartKey(key: string): Part | undefined {
  const match = /\/parts\/(\d{10})-(\d{10})-(\d+)-[^/]*\.jsonl$/.exec(key)
  return match ? { key, start: Number(match[1]), end: Number(match[2]), errors: Number(match[3]) } : undefined
}

export const resultsKey = (batch: string, file: 'results.jsonl' | 'results.csv' | 'errors.jsonl'): string =>
  batchFolder(batch) + file
