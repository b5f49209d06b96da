import * as z from 'zod'
import { msOf } from '../../clock'
import { defaultGbSecondPrice } from '../../config'
import { type BatchSummary, type ImageRecord, isClosed } from '../../schema'
import { gbSecondsOf, manifestMemory, rounded } from '../records/usage'
import { type BatchModel, usageSumSchema } from '../state/batch'
import { addTo, emptyHistogram, quantile } from './histogram'

const stages = ['download', 'decode', 'infer'] as const

/** Not `z.record`, which drops a label named `__proto__`. */
const counts = z.custom<Record<string, number>>()

/** The counts over a batch's records. Plain data, so that counting can resume. */
export const tallySchema = z.strictObject({
  ok: z.int(),
  error: z.int(),
  labels: counts,
  errors: counts,
  /** Tagged images, and failures to tag by code. */
  tagged: z.int(),
  untagged: counts,
  timings: z.strictObject({ download: counts, decode: counts, infer: counts }),
  models: z.array(z.string()),
  engines: z.array(z.string()),
  /** Oldest and newest `at`. */
  first: z.string().nullable(),
  last: z.string().nullable(),
  /** When the last image was done, by its record; milliseconds since the epoch. */
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
  // A label may be named `__proto__`, which plain assignment does not store.
  Object.defineProperty(counts, name, { value, writable: true, enumerable: true, configurable: true })
}

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

/** The facts of a summary beyond its counts. Memory defaults to the manifest's. */
export type SummaryFacts = Pick<BatchSummary, 'batch' | 'state' | 'exact' | 'startedAt' | 'reason'> &
  Pick<BatchSummary['totals'], 'listed' | 'planned' | 'skipped'> &
  Partial<Pick<BatchModel, 'memory' | 'gbSecondPrice'>> & { model?: string; throttles?: number }

const sorted = (counts: Record<string, number>): [string, number][] =>
  Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))

/** From records alone, so that closing twice gives the same bytes. */
function rateOf({ ok, error, doneAt }: Tally, startedAt: string): number {
  const seconds = (doneAt - msOf(startedAt)) / 1000
  return seconds > 0 ? rounded((ok + error) / seconds) : 0
}

/** Omitted for batches that do not tag. */
function tagsOf({ tagged, untagged }: Tally): Pick<BatchSummary, 'tags'> {
  const errors = Object.fromEntries(sorted(untagged))
  return tagged > 0 || Object.keys(errors).length > 0 ? { tags: { written: tagged, errors } } : {}
}

/** Summarizes a batch. Depends only on its arguments, so that every closing of a run writes the same bytes. */
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
