import * as z from 'zod'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { keysBelow } from '../planning/walk'
import { keyBefore } from '../records/keys'
import { type Choice, mergeRecords, newerOf, type Records } from '../records/merge'
import { findByKey } from '../records/ordered'
import { partPositionSchema, recordsInOrder } from '../records/parts'
import { readRecord } from '../records/record'
import { addUsage } from '../records/usage'
import type { ClosingBatch, UsageSum } from '../state/batch'
import { resultsKey } from '../state/layout'
import { type Context, unlessRefused } from '../state/platform'

/** How far the sources were read. Plain data. Reading that resumes here yields the last record again. */
export const sourcePositionSchema = z.strictObject({
  /** Offset of the current record in each sorted file. */
  offsets: z.array(z.int()),
  /** The position in the parts. */
  part: partPositionSchema.optional(),
  /** Number of records read from parts. */
  reported: z.int(),
})
export type SourcePosition = z.infer<typeof sourcePositionSchema>

/** The records of a run's results, each image once, ordered by key and then bucket. */
export interface Source {
  records: Records
  position(): SourcePosition
}

/** Read buffers: for all sorted files together, and the minimum and maximum for one. */
const blockBytes = { all: 8 * 1024 * 1024, min: 32 * 1024, max: 1024 * 1024 }

/**
 * Opens the sources of a run's results: the previous results, and what was reported since.
 * @param last the last key read, where reading resumes
 * @param usage the usage recorded in parts is added to it
 */
export function openSource(
  batch: ClosingBatch,
  { store, results }: Context,
  { from, last, usage }: { from?: SourcePosition; last?: string; usage: UsageSum },
): Source {
  const before = batch.previous === null ? [] : [resultsKey(batch.batch, 'results.jsonl')]
  const keys = [...before, ...batch.sorted.files]
  const position: SourcePosition = from ? { ...from } : { offsets: keys.map(() => 0), reported: 0 }
  const block = Math.min(Math.max(Math.ceil(blockBytes.all / keys.length), blockBytes.min), blockBytes.max)

  async function* sorted(key: string, index: number): Records {
    let next = position.offsets[index] ?? 0
    const etag = index < before.length ? (batch.previous ?? undefined) : undefined
    for await (const line of results.lines(key, { from: next, blockBytes: block, etag })) {
      position.offsets[index] = next
      next += Buffer.byteLength(line) + 1
      yield JSON.parse(line)
    }
    position.offsets[index] = next
  }

  async function* partRecords(): Records {
    const range = { start: batch.plan.base, end: batch.plan.planned }
    let reported = position.reported
    for await (const { part, start, records, usage: used } of recordsInOrder(
      results,
      batch.batch,
      range,
      position.part,
    )) {
      if (used) addUsage(usage, used)
      for (const [index, record] of records.entries()) {
        Object.assign(position, { part: { part, next: start + index }, reported })
        yield record
        reported++
      }
    }
    position.reported = reported
  }

  const stale: Stale = new WeakMap()
  const files = keys.map(sorted)
  const [previous, ...portions] = files
  const sources =
    batch.kind === 'uploads'
      ? files
      : [
          ...(previous ? [existing(previous, batch, store.bucket(batch.bucket), { last, stale })] : []),
          ...portions,
          partRecords(),
        ]
  const choose: Choice = batch.kind === 'uploads' ? newerOf : (_, later) => later
  return {
    records: preferNewer(mergeRecords(sources, choose), stale, batch, results),
    position: () => ({ ...position, offsets: [...position.offsets] }),
  }
}

/** Previous records whose image has changed since, with its current version. */
type Stale = WeakMap<ImageRecord, Version>
type Version = Pick<ImageRecord, 'etag'>

/** Prefers a newer record written elsewhere: this run skipped that image as up to date. */
async function* preferNewer(
  records: Records,
  stale: Stale,
  { model }: ClosingBatch,
  results: Bucket,
): Records {
  for await (const record of records) {
    const version = stale.get(record)
    const found = version && model && (await readRecord(results, model.modelVersion, record))
    yield found && found.etag === version?.etag ? found : record
  }
}

/** Drops images that a full listing no longer contains; drops nothing once the source refuses access. */
async function* existing(
  records: Records,
  batch: ClosingBatch,
  images: Bucket,
  { last, stale }: { last: string | undefined; stale: Stale },
): Records {
  if (!batch.plan.swept || batch.outcome !== 'complete') return yield* records
  const find = findByKey(keysBelow(images, '', batch.request.prefix, last ? keyBefore(last) : ''))
  let isRefused = false
  for await (const record of records) {
    const found: Version | undefined = isRefused ? record : await unlessRefused(find(record.key), record)
    isRefused = found === record
    if (!found) continue
    if (found.etag !== record.etag) stale.set(record, found)
    yield record
  }
}
