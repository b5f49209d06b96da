import type { ImageRef, Range } from '../schema'
import { sha256Of } from '../sha256'

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
  return `long/${model}/${bucket}/${sha256Of(key)}`
}

export const batchFolder = (batch: string): string => `batches/${batch}/`
export const planKey = (batch: string): string => `${batchFolder(batch)}plan.json`
export const leaseKey = (batch: string): string => `${batchFolder(batch)}lease.json`
/** Under this prefix lies a marker for each batch that somebody has to see to its end. */
export const openPrefix = 'open/'
export const openKey = (batch: string): string => openPrefix + batch
/** Under this prefix lies a list of what the polls of a feed, by its trigger, have tried in vain. */
export const triedPrefix = (feed: string): string => `tried${feed}/`
/** The list that one batch of those polls goes by. */
export const triedKey = (feed: string, batch: string): string => `${triedPrefix(feed)}${batch}.jsonl`
/** Of which batch a list is. */
export const batchOfTried = (key: string): string => key.slice(key.lastIndexOf('/') + 1, -'.jsonl'.length)
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

/** Sorted records of a day's uploads: those of the parts from one number on up to another. */
export const runKey = (batch: string, { start, end }: Range): string =>
  `${batchFolder(batch)}runs/${position(start)}-${position(end)}.jsonl`

export const resultsNames = ['results.jsonl', 'results.csv', 'errors.jsonl'] as const
export type ResultsName = (typeof resultsNames)[number]

export const resultsKey = (batch: string, file: ResultsName): string => batchFolder(batch) + file

/** What is kept of a closing that has to go on in another activation begins with this. */
export const closingPrefix = (batch: string): string => `${batchFolder(batch)}closing`
export const closingKey = (batch: string): string => `${closingPrefix(batch)}.json`

/** What of the files is too short for a part, after so many bytes of all of them. */
export const closingRestKey = (batch: string, bytes: number): string =>
  `${closingPrefix(batch)}/${bytes}.rest`

/** Under this prefix lie the keys that a pass found to be gone, in order. */
export const removedPrefix = (batch: string, pass: number): string =>
  `${batchFolder(batch)}removed/${String(pass).padStart(4, '0')}-`

/** The `n`th object of such keys, counted from 0 on: one `{"key": …}` a line. */
export const removedKey = (batch: string, pass: number, n: number): string =>
  `${removedPrefix(batch, pass)}${position(n)}.jsonl`
