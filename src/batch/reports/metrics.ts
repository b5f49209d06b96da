import pLimit from 'p-limit'
import { isoOf, msOf } from '../../clock'
import type { Family, Sample } from '../../openmetrics'
import { type BatchSummary, summarySchema } from '../../schema'
import type { Bucket } from '../../storage/store'
import { listOpenRuns, type OpenRun } from '../state/open'
import { isUploads, uploadsBatch } from '../uploads/day'
import { readSummary } from './summary-object'

/** Limits of one scrape. A listing returns a thousand per request. */
const max = { entries: 1_000, ids: 5_000, summaries: 24 }

const atOnce = 8
const day = 24 * 60 * 60 * 1000

/**
 * Metrics of open batches, and of batches that began today or yesterday, up to 24 in all. Takes about 30 requests,
 * however many batches there are.
 * @param now milliseconds since the epoch
 */
export async function batchMetrics(results: Bucket, now: number): Promise<Family[]> {
  const open = await upTo(max.entries, listOpenRuns(results))
  open.sort((a, b) => (a.since < b.since ? -1 : 1))
  const ids = new Set([...open.map(({ batch }) => batch), ...(await recentIds(results, now))])
  const limit = pLimit(atOnce)
  const read = await Promise.all(
    [...ids].slice(0, max.summaries).map((id) => limit(() => readSummary(results, id))),
  )
  return [...ofOpenRuns(open, now), ...ofSummaries(read.filter((summary) => summary !== undefined))]
}

/** Recent ids with a date, newest first, after the days of uploads. Ids without a date do not show their age. */
async function recentIds(results: Bucket, now: number): Promise<string[]> {
  const days = [now, now - day].map((time) => uploadsBatch(isoOf(time)))
  const yesterday = isoOf(now - day)
    .slice(0, 10)
    .replaceAll('-', '')
  const dated: string[] = []
  for await (const id of results.folders('batches/', yesterday)) {
    // Ids that start with a digit but have no date sort among the dated ones.
    if (!/^\d/.test(id)) break
    if (/^\d{8}-/.test(id) && dated.push(id) === max.ids) break
  }
  return [...days, ...dated.reverse()]
}

async function upTo<T>(count: number, values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const value of values) if (found.push(value) === count) break
  return found
}

const kinds = ['fired', 'uploads'] as const

function ofOpenRuns(open: OpenRun[], now: number): Family[] {
  const samples = (measure: (runs: OpenRun[]) => number): Sample[] =>
    kinds.map((kind) => ({
      labels: { kind },
      value: measure(open.filter(({ batch }) => isUploads(batch) === (kind === 'uploads'))),
    }))
  const ageOf = ([oldest]: OpenRun[]) => (oldest ? Math.max(0, now - msOf(oldest.since)) / 1000 : 0)
  return [
    {
      name: 'whisklens_open_batches',
      type: 'gauge',
      help: 'Open batches, up to 1000. A day of uploads is open until it ends.',
      samples: samples((runs) => runs.length),
    },
    {
      name: 'whisklens_oldest_open_batch_age_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'Time since the oldest open batch was fired; 0 if there is none.',
      samples: samples(ageOf),
    },
  ]
}

const states = summarySchema.shape.state.options
const outcomes = ['ok', 'error', 'pending', 'skipped'] as const
const quantiles = { p50: '0.5', p95: '0.95' } as const
const stages = ['download', 'decode', 'infer'] as const

/** The metric families of batches, from their summaries. */
function ofSummaries(summaries: BatchSummary[]): Family[] {
  const each = (samplesOf: (summary: BatchSummary) => Sample[]): Sample[] =>
    summaries.flatMap((summary) =>
      samplesOf(summary).map(({ labels, value }) => ({ labels: { batch: summary.batch, ...labels }, value })),
    )
  return [
    {
      name: 'whisklens_batch_state',
      type: 'stateset',
      help: 'The state of the batch.',
      samples: each(({ state }) =>
        states.map((one) => ({ labels: { whisklens_batch_state: one }, value: one === state ? 1 : 0 })),
      ),
    },
    {
      name: 'whisklens_batch_images',
      type: 'gauge',
      help: 'Images of the batch by outcome.',
      samples: each(({ totals }) =>
        outcomes.map((outcome) => ({ labels: { outcome }, value: totals[outcome] })),
      ),
    },
    {
      name: 'whisklens_batch_errors',
      type: 'gauge',
      help: 'Images in error by code, once the batch has ended.',
      samples: each(({ errors }) =>
        Object.entries(errors).map(([code, value]) => ({ labels: { code }, value })),
      ),
    },
    {
      name: 'whisklens_batch_image_seconds',
      type: 'summary',
      unit: 'seconds',
      help: 'Time per image in each stage, once the batch has ended.',
      samples: each((summary) => (summary.timings.p50.infer > 0 ? timingsOf(summary) : [])),
    },
    {
      name: 'whisklens_batch_containers',
      type: 'gauge',
      help: 'Containers of classify used, once the batch has ended.',
      samples: each(({ containers }) => [{ value: containers }]),
    },
    {
      name: 'whisklens_batch_throttles',
      type: 'counter',
      help: 'Turns in which OpenWhisk refused invocations of the batch.',
      samples: each(({ throttles }) => [{ value: throttles }]),
    },
  ]
}

const timingsOf = ({ timings }: BatchSummary): Sample[] =>
  stages.flatMap((stage) =>
    Object.entries(quantiles).map(([name, quantile]) => ({
      labels: { stage, quantile },
      value: timings[name as keyof typeof quantiles][stage] / 1000,
    })),
  )
