import { type Batch, batchSchema } from '../../src/batch/state/batch'
import { isConcluded } from '../../src/batch/state/lease'
import { type BatchSummary, type ImageRecord, recordSchema, summarySchema } from '../../src/schema'
import { checkIndex } from './index-check'
import { compareBytes } from './store/contents'
import { models, type World } from './world'

/** The files that a batch leaves in the results bucket. */
export interface EndedBatchFiles {
  batch: Batch
  summary: BatchSummary
  records: ImageRecord[]
}

const textOf = ({ results }: World, key: string): string | undefined =>
  results.get(key)?.body.toString('utf8')

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1)

export const documentOf = (world: World, batch: string): Batch | undefined => {
  const text = textOf(world, `batches/${batch}/batch.json`)
  return text === undefined ? undefined : batchSchema.parse(JSON.parse(text))
}

/** The ids of all batches, days of uploads included. */
export function batchesOf({ results }: World): string[] {
  const ids = results.page('batches/', '', 1_000_000).map(({ key }) => key.split('/')[1] ?? '')
  return [...new Set(ids)]
}

/** Collects violated invariants. */
export class Complaints {
  readonly found: string[] = []

  expect(holds: boolean, complaint: () => string): void {
    if (!holds) this.found.push(complaint())
  }
}

/** Checks the state and files of an ended batch. */
export function checkEnded(world: World, id: string, complaints: Complaints): EndedBatchFiles | undefined {
  const batch = documentOf(world, id)
  complaints.expect(batch !== undefined, () => `${id} has files but no document`)
  if (!batch) return undefined
  const isEnded = batch.status === 'complete' || batch.status === 'cancelled' || batch.status === 'stopped'
  complaints.expect(isEnded, () => `${id} is still ${batch.status}`)
  if (!isEnded) return undefined
  complaints.expect('announced' in batch && batch.announced, () => `${id} has not fired batch-completed`)
  complaints.expect(batch.lease.holder === null, () => `${id} is still held by ${batch.lease.holder}`)
  complaints.expect(batch.queued === undefined, () => `${id} still has a queued fire`)
  const [summaryText, text, csv, errors] = [
    'summary.json',
    'results.jsonl',
    'results.csv',
    'errors.jsonl',
  ].map((name) => textOf(world, `batches/${id}/${name}`))
  const index = world.results.get(`batches/${id}/index.bin`)?.body
  if (
    summaryText === undefined ||
    text === undefined ||
    csv === undefined ||
    errors === undefined ||
    !index
  ) {
    complaints.found.push(`${id} has ended without all of its files`)
    return undefined
  }
  const summary = summarySchema.parse(JSON.parse(summaryText))
  const lines = linesOf(text)
  const records = lines.map((line) => recordSchema.parse(JSON.parse(line)))
  for (const [index, record] of records.entries()) {
    const before = records[index - 1]
    complaints.expect(
      before === undefined || compareBytes(before.key, record.key) < 0 || before.bucket !== record.bucket,
      () => `${id}: ${record.key} is listed after ${before?.key}`,
    )
  }
  const { totals, state } = summary
  const failed = records.filter(({ status }) => status === 'error')
  const told = JSON.stringify({ state, totals, records: records.length, failed: failed.length })
  complaints.expect(state === batch.status, () => `${id} is ${batch.status}, but its summary says ${state}`)
  complaints.expect(
    totals.ok + totals.error === records.length,
    () => `${id}: records and totals differ: ${told}`,
  )
  complaints.expect(totals.error === failed.length, () => `${id}: errors differ: ${told}`)
  complaints.expect(
    linesOf(errors).join() === lines.filter((_, index) => records[index]?.error !== undefined).join(),
    () => `${id}: the errors in errors.jsonl and results.jsonl differ`,
  )
  checkIndex(id, index, lines, complaints)
  complaints.expect(
    linesOf(csv).length === records.length + 1,
    () => `${id}: results.csv and results.jsonl differ in length`,
  )
  if (state === 'complete')
    complaints.expect(totals.pending === 0, () => `${id} is complete with pending images: ${told}`)
  return { batch, summary, records }
}

/** Checks that no image of a fired batch has an error caused by revoked keys: nothing else denies access here. */
export function watchParts({ results }: World, complaints: Complaints): void {
  const before = results.onPut
  results.onPut = (object) => {
    before(object)
    const { key, body } = object
    const isPart = key.includes('/parts/') && !key.startsWith('batches/uploads-')
    complaints.expect(
      !isPart || !body.includes('access_denied'),
      () => `${key} has errors caused by revoked keys`,
    )
  }
}

/** Checks that no batch depends on `reconcile`: without crashes each finishes by itself. */
export function checkUnattended(world: World, complaints: Complaints): void {
  for (const id of batchesOf(world)) {
    const batch = documentOf(world, id)
    if (!batch) continue
    const { holder } = batch.lease
    complaints.expect(holder === null, () => `${id} is held by ${holder}, which has ended`)
    // An open day's work depends on its uploads.
    const isOpenDay = batch.kind === 'uploads' && batch.status === 'open'
    complaints.expect(isOpenDay || isConcluded(batch), () => `${id} is ${batch.status} without a holder`)
  }
}

/** When the batch of an object was last written: late writes of a former holder cannot be prevented. */
function endOf(results: World['results'], key: string): string {
  const [, batch] = key.split('/')
  return results.get(`batches/${batch}/batch.json`)?.lastModified ?? ''
}

/** Checks that the webhook got one message per run, however often it was sent. */
export function checkDelivered(
  { delivered }: World,
  { batch, summary }: EndedBatchFiles,
  complaints: Complaints,
): void {
  const messages = new Map<string, string>()
  for (const { id, body } of delivered) {
    const known = messages.get(id)
    complaints.expect(known === undefined || known === body, () => `${id} was sent with different bodies`)
    if (JSON.parse(body).batch === batch.batch) messages.set(id, body)
  }
  complaints.expect(
    messages.size === batch.run,
    () => `${batch.batch} had ${batch.run} runs, but the webhook got ${messages.size} messages`,
  )
  complaints.expect(
    [...messages.values()].includes(JSON.stringify(summary)),
    () => `the webhook got no message about the last run of ${batch.batch}`,
  )
}

/** Checks that nothing is left to clean up. */
export function checkNothingLeft({ results }: World, complaints: Complaints): void {
  const entries = ['open/', 'webhooks/']
    .flatMap((prefix) => results.page(prefix, '', 1000))
    .map(({ key }) => key)
  complaints.expect(entries.length === 0, () => `remaining entries: ${entries.join()}`)
  const segments = results
    .page('batches/', '', 1_000_000)
    .filter(({ key, lastModified }) => key.includes('/closing/') && lastModified <= endOf(results, key))
  complaints.expect(
    segments.length === 0,
    () => `remaining segments: ${segments.map(({ key }) => key).join()}`,
  )
}

/** Checks that the newest records describe the newest versions, after every image was listed. */
export function checkNewest(world: World, prefix: string, complaints: Complaints): void {
  const root = `images/${world.model}/images/`
  const records = new Map<string, ImageRecord>()
  for (const { key } of world.results.page(root + prefix, '', 1_000_000))
    records.set(key.slice(root.length), recordSchema.parse(JSON.parse(textOf(world, key) ?? '')))
  for (const { key, etag } of world.images.page(prefix, '', 1_000_000)) {
    const record = records.get(key)
    // A retryable failure leaves a note instead of a record.
    const note = textOf(world, `retry/${world.model}/images/${key}`)
    const hasFailed = note !== undefined && JSON.parse(note).etag === etag
    if (record && !hasFailed)
      complaints.expect(
        record.etag === etag,
        () => `the record of ${key} describes ${record.etag}, not ${etag}`,
      )
  }
}

/**
 * Checks that a batch of all images below a prefix, fired after the last change, has each image in its newest version.
 */
export function checkComplete(
  world: World,
  left: EndedBatchFiles,
  prefix: string,
  complaints: Complaints,
): void {
  const { batch, summary, records } = left
  const id = batch.batch
  complaints.expect(summary.state === 'complete', () => `${id} ended as ${summary.state}: ${summary.reason}`)
  if (summary.state !== 'complete') return
  const root = `images/${world.model}/images/`
  const known = new Map(records.map((record) => [record.key, record]))
  const there = world.images.page(prefix, '', 1_000_000)
  const { totals } = summary
  complaints.expect(
    totals.listed === there.length,
    () => `${id} has listed ${totals.listed} of ${there.length} images`,
  )
  for (const { key, etag } of there) {
    const record = known.get(key)
    const newest = textOf(world, root + key)
    const isFresh = newest !== undefined && (JSON.parse(newest) as ImageRecord).etag === etag
    complaints.expect(record !== undefined || isFresh, () => `${id} has lost ${key}`)
    if (record)
      complaints.expect(record.etag === etag, () => `${id} has ${key} as of ${record.etag}, not ${etag}`)
    complaints.expect(
      isFresh || record?.error !== undefined,
      () => `${key} was classified but has no latest record`,
    )
    known.delete(key)
  }
  for (const key of known.keys()) complaints.found.push(`${id} still has ${key}, which was deleted`)
}

/**
 * Uploads within this time after an accepted notification are certain to be scanned, milliseconds. Others of the burst
 * may have been refused.
 */
const burstTime = 60_000

/** Checks that uploads before and shortly after an accepted notification were classified. */
export function checkUploads(world: World, prefix: string, complaints: Complaints): void {
  for (const { key, etag } of world.images.page(prefix, '', 1_000_000)) {
    const changedAt = world.changedAt.get(key)
    if (changedAt === undefined || changedAt > world.notifiedAt + burstTime) continue
    // By either version of the model.
    const names = models.flatMap((model) => [`images/${model}/images/${key}`, `retry/${model}/images/${key}`])
    const known = names.map((name) => {
      const text = textOf(world, name)
      return text === undefined ? undefined : (JSON.parse(text).etag as string)
    })
    complaints.expect(
      known.includes(etag),
      () => `the upload of ${key} was notified but not classified: ${known.join()} instead of ${etag}`,
    )
  }
}
