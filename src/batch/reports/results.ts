import { StorageError } from '../../errors'
import { type LabelView, modelsLabels } from '../../labels/view'
import { type BatchSummary, type ImageRecord, isClosed, type Range } from '../../schema'
import type { Bucket } from '../../storage/store'
import { comparePositions } from '../records/keys'
import { mergeRecords, newerOf, type Records } from '../records/merge'
import { recordsInOrder } from '../records/parts'
import { type Batch, readBatch } from '../state/batch'
import { resultsKey } from '../state/layout'
import { readUnsorted } from '../uploads/sort'
import { readSummary } from './summary-object'

/** The ids of all batches, days of uploads included. */
export const listBatches = (results: Bucket): AsyncGenerator<string> => results.folders('batches/')

export const batchNotFound = (batch: string): StorageError =>
  new StorageError('batch_not_found', 404, `There is no batch "${batch}"`)

/**
 * Whether the result files belong to the summary. An open batch, or one stopped by a failure, may still have the files
 * of an earlier run.
 */
export const hasFiles = ({ state, exact }: BatchSummary): boolean => isClosed(state) && exact

/** The end of a record in one version of a file. */
export interface FilePosition {
  etag: string
  /** Offset after the record, bytes. */
  end: number
}

/** Where a page ended. Has a bucket because a day's uploads may come from several. */
export interface Position extends Pick<ImageRecord, 'key' | 'bucket'> {
  /** Where the record ended in the file, so that the next page can start there. */
  file?: FilePosition
}

/** A record, and where it ended in its file. */
export interface Found {
  record: ImageRecord
  file?: FilePosition
}

/** All records of a batch, as read by {@link readResultsAfter}. */
export async function* readResults(
  results: Bucket,
  batch: string,
  view?: LabelView,
): AsyncGenerator<ImageRecord> {
  for await (const { record } of readResultsAfter(results, batch, { view })) yield record
}

export interface Reading {
  /** Start after this position. An unchanged file is read from there on. */
  after?: Position
  /** How labels are shown; by default as the model names them. */
  view?: LabelView
}

/**
 * Reads the records of a batch, ordered by key and then bucket: from its results once closed, from its parts before.
 * @throws StorageError `batch_not_found`; `precondition_failed` when the file is replaced meanwhile
 */
export async function* readResultsAfter(
  results: Bucket,
  batch: string,
  { after, view = modelsLabels }: Reading = {},
): AsyncGenerator<Found> {
  for await (const { record, file } of await openRecords(results, batch, after?.file)) {
    if (!after || comparePositions(record, after) > 0) yield { record: view.record(record), file }
  }
}

async function openRecords(
  results: Bucket,
  batch: string,
  from: FilePosition | undefined,
): Promise<AsyncIterable<Found>> {
  const summary = await readSummary(results, batch)
  const key = resultsKey(batch, 'results.jsonl')
  const file = !summary || hasFiles(summary) ? await results.head(key) : undefined
  if (file) return recordsOfFile(results, key, from?.etag === file.etag ? from : { etag: file.etag, end: 0 })
  const open = await readBatch(results, batch)
  // The document is written first and removed first: a summary without one is of a batch being removed.
  if (!open) throw batchNotFound(batch)
  const records = found(await recordsSoFar(results, open))
  return summary ? records : begun(records, batch)
}

/** The records of an open batch so far: the previous results, and what was reported since. */
async function recordsSoFar(results: Bucket, batch: Batch): Promise<AsyncIterable<ImageRecord>> {
  const before = (await results.head(resultsKey(batch.batch, 'results.jsonl')))
    ? [linesAsRecords(results, resultsKey(batch.batch, 'results.jsonl'))]
    : []
  if (batch.kind === 'fired') {
    const range = { start: batch.plan.base, end: Math.max(batch.plan.planned, 1) }
    return mergeRecords([...before, recordsOf(results, batch.batch, range)], (_, later) => later)
  }
  const { records: unsorted } = await readUnsorted(results, batch)
  const sorted = batch.sorted.files.map((key) => linesAsRecords(results, key))
  return mergeRecords([...before, ...sorted, each(unsorted)], newerOf)
}

async function* recordsOf(results: Bucket, batch: string, range: Range): Records {
  for await (const { records } of recordsInOrder(results, batch, range)) yield* records
}

async function* linesAsRecords(results: Bucket, key: string): Records {
  for await (const line of results.lines(key)) yield JSON.parse(line)
}

async function* each(records: ImageRecord[]): Records {
  yield* records
}

async function* recordsOfFile(
  results: Bucket,
  key: string,
  { etag, end: from }: FilePosition,
): AsyncGenerator<Found> {
  let end = from
  for await (const line of results.lines(key, { from, etag })) {
    end += Buffer.byteLength(line) + 1
    yield { record: JSON.parse(line) as ImageRecord, file: { etag, end } }
  }
}

/** Refuses a document with neither a summary nor records: nothing has begun, as on a day without uploads. */
async function* begun(records: AsyncIterable<Found>, batch: string): AsyncGenerator<Found> {
  let isEmpty = true
  for await (const record of records) {
    isEmpty = false
    yield record
  }
  if (isEmpty) throw batchNotFound(batch)
}

async function* found(records: AsyncIterable<ImageRecord>): AsyncGenerator<Found> {
  for await (const record of records) yield { record }
}
