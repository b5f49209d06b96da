import * as z from 'zod'
import { msOf } from '../../clock'
import { defaultGbSecondPrice } from '../../config'
import { type BatchSummary, type ImageRecord, isClosed } from '../../schema'
import { gbSecondsOf, manifestMemory, rounded } from '../records/usage'
import { type BatchModel, usageSumSchema } from '../state/batch'
import { addTo, emptyHistogram, quantile } from './histogram'

const stages = ['download', 'decode', 'infer'] as const

/** Not a record of zod's: that leaves out a label called __proto__. */
const counts = z.custom<Record<string, number>>()

/** What is counted of the records of a batch. Plain data: it is stored, and carried on with. */
export const tallySchema = z.strictObject({
  ok: z.int(),
  error: z.int(),
  labels: counts,
  errors: counts,
  /** Images that were tagged, and by code those that were not. */
  tagged: z.int(),
  untagged: counts,
  timings: z.strictObject({ download: counts, decode: counts, infer: counts }),
  models: z.array(z.string()),
  engines: z.array(z.string()),
  /** Oldest and newest `at`. */
  first: z.string().nullable(),
  last: z.string().nullable(),
  /** When the last image was done as far as its record tells, milliseconds since the epoch. */
  doneAt: z.number(),
  usage: usageSumSchema,
})
export type Tally = z.infer<typeof tallySchema>

export const emptyTally = (): Tally => ({
  ok: 0,
  error: 0,
  labels: {},
  errors: {},
  tagged: 0,
  untagged: {},
  timings: { download: emptyHistogram(), decode: emptyHistogram(), infer: emptyHistogram() },
  models: [],
  engines: [],
  first: null,
  last: null,
  doneAt: 0,
  usage: { classifyMs: 0, aggregateMs: 0, containers: [] },
})

const bump = (counts: Record<string, number>, name: string): void => {
  const value = (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0) + 1
  // A label may be called __proto__, to which nothing can be assigned.
  Object.defineProperty(counts, name, { value, writable: true, enumerable: true, configurable: true })
}

/** Counts one record. */
export function count(tally: Tally, record: ImageRecord): void {
  tally[record.status]++
  if (record.error) bump(tally.errors, record.error.code)
  if (record.tagging?.status === 'ok') tally.tagged++
  if (record.tagging?.code) bump(tally.untagged, record.tagging.code)
  const top = record.labels[0]
  if (top) bump(tally.labels, top.label)
  if (record.status === 'ok') for (const name of stages) addTo(tally.timings[name], record.timings[name])
  if (!tally.models.includes(record.model)) tally.models.push(record.model)
  if (!tally.engines.includes(record.engine)) tally.engines.push(record.engine)
  if (tally.first === null || record.at < tally.first) tally.first = record.at
  if (tally.last === null || record.at > tally.last) tally.last = record.at
  const { download, decode, infer } = record.timings
  tally.doneAt = Math.max(tally.doneAt, msOf(record.at) + download + decode + infer)
}

/** What a summary says beyond what was counted; memory is the manifest's where it is not known. */
export type SummaryFacts = Pick<BatchSummary, 'batch' | 'state' | 'exact' | 'startedAt' | 'reason'> &
  Pick<BatchSummary['totals'], 'listed' | 'planned' | 'skipped'> &
  Partial<Pick<BatchModel, 'memory' | 'gbSecondPrice'>> & { model?: string; throttles?: number }

const sorted = (counts: Record<string, number>): [string, number][] =>
  Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))

/** From records alone: the time of closing must not show. */
function rateOf({ ok, error, doneAt }: Tally, startedAt: string): number {
  const seconds = (doneAt - msOf(startedAt)) / 1000
  return seconds > 0 ? rounded((ok + error) / seconds) : 0
}

/** Nothing of batches that tag no images. */
function tagsOf({ tagged, untagged }: Tally): Pick<BatchSummary, 'tags'> {
  const errors = Object.fromEntries(sorted(untagged))
  return tagged > 0 || Object.keys(errors).length > 0 ? { tags: { written: tagged, errors } } : {}
}

/** The summary of a batch. Depends on nothing but its arguments, so that every closing of a run writes the same bytes. */
export function summarize(tally: Tally, facts: SummaryFacts): BatchSummary {
  const { batch, state, listed, planned, skipped, exact, startedAt } = facts
  const { memory = manifestMemory, gbSecondPrice = Number(defaultGbSecondPrice) } = facts
  const gbSeconds = gbSecondsOf(tally.usage, memory)
  const at = (share: number) => {
    const of = (name: (typeof stages)[number]) => quantile(tally.timings[name], share)
    return { download: of('download'), decode: of('decode'), infer: of('infer') }
  }
  return {
    schema: 'whisklens.summary/1',
    batch,
    state,
    model: facts.model ?? (tally.models.sort().join(', ') || null),
    engine: tally.engines.sort().join(', ') || null,
    totals: {
      listed,
      planned,
      skipped,
      ok: tally.ok,
      error: tally.error,
      pending: Math.max(0, planned - tally.ok - tally.error),
    },
    labels: sorted(tally.labels).map(([label, number]) => ({ label, count: number })),
    errors: Object.fromEntries(sorted(tally.errors)),
    ...tagsOf(tally),
    timings: { p50: at(0.5), p95: at(0.95) },
    imagesPerSecond: rateOf(tally, startedAt),
    containers: tally.usage.containers.length,
    gbSeconds: rounded(gbSeconds),
    cost: rounded(gbSeconds * gbSecondPrice),
    pricePerGbSecond: gbSecondPrice,
    throttles: facts.throttles ?? 0,
    exact,
    startedAt,
    endedAt: isClosed(state) ? (tally.last ?? startedAt) : null,
    ...(facts.reason !== undefined && { reason: facts.reason }),
  }
}
