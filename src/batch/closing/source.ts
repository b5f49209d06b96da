import * as z from 'zod'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { keysBelow } from '../planning/missing'
import { keyBefore } from '../records/keys'
import { type Choice, mergeRecords, newerOf, type Records } from '../records/merge'
import { findByKey } from '../records/ordered'
import { partPositionSchema, recordsInOrder } from '../records/parts'
import { readRecord } from '../records/record'
import { addUsage } from '../records/usage'
import type { ClosingBatch, UsageSum } from '../state/batch'
import { resultsKey } from '../state/layout'
import { type Context, unlessRefused } from '../state/platform'

/** How far a source was read. Plain data: reading that resumes there gets the last record once more. */
export const sourcePositionSchema = z.strictObject({
  /** In each sorted file, where the record in use begins. */
  offsets: z.array(z.int()),
  /** Where in its parts. */
  part: partPositionSchema.optional(),
  /** Positions before that one which have a record. */
  reported: z.int(),
})
export type SourcePosition = z.infer<typeof sourcePositionSchema>

/** What the results of a run are made of, each image once, in the order of keys and then of buckets. */
export interface Source {
  records: Records
  position(): SourcePosition
}

/** What all sorted files may have in memory at a time, and the least and most of one. */
const blockBytes = { all: 8 * 1024 * 1024, least: 32 * 1024, most: 1024 * 1024 }

/**
 * Opens what the results of a run are made of: those of the run before, and what was reported since.
 * @param last the key that was read last, where reading goes on
 * @param usage what activations used is added to it
 */
export function openSource(
  batch: ClosingBatch,
  { store, results }: Context,
  { from, last, usage }: { from?: SourcePosition; last?: string; usage: UsageSum },
): Source {
  const before = batch.previous === null ? [] : [resultsKey(batch.batch, 'results.jsonl')]
  const keys = [...before, ...batch.sorted.files]
  const position: SourcePosition = from ? { ...from } : { offsets: keys.map(() => 0), reported: 0 }
  const block = Math.min(Math.max(Math.ceil(blockBytes.all / keys.length), blockBytes.least), blockBytes.most)

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

  async function* run(): Records {
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
          ...(previous ? [stillThere(previous, batch, store.bucket(batch.bucket), { last, stale })] : []),
          ...portions,
          run(),
        ]
  const choose: Choice = batch.kind === 'uploads' ? newerOf : (_, later) => later
  return {
    records: newest(mergeRecords(sources, choose), stale, batch, results),
    position: () => ({ ...position, offsets: [...position.offsets] }),
  }
}

/** Records of the run before whose image has changed since, with the version that it is now. */
type Stale = WeakMap<ImageRecord, Version>
type Version = Pick<ImageRecord, 'etag'>

/** What others have classified since was skipped by this run: then that record counts. */
async function* newest(records: Records, stale: Stale, { model }: ClosingBatch, results: Bucket): Records {
  for await (const record of records) {
    const version = stale.get(record)
    const found = version && model && (await readRecord(results, model.modelVersion, record))
    yield found && found.etag === version?.etag ? found : record
  }
}

/** Leaves out what a run that saw every image did not see any more; nothing, once the source refuses to tell. */
async function* stillThere(
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
