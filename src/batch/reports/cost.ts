import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { gbSecondsOf, type Memory, manifestMemory, rounded } from '../records/usage'
import { readBatch } from '../state/batch'
import { reported } from '../state/transitions'
import { isUploads } from '../uploads/day'
import { readUnsorted } from '../uploads/sort'
import { newestBatches } from './newest'

/** Assumed until a batch was measured: about twice what an image takes on WebAssembly, milliseconds. */
export const assumedMsPerImage = 100

/** Batches used for an estimate. */
const maxBatches = 20

interface EstimateOptions {
  /** `<id>@<8 hex>`; defaults to that of the newest measured batch. */
  modelVersion?: string
  images: number
  memory?: Memory
  /** Per GB-second. */
  price: number
}

export interface Estimate {
  gbSeconds: number
  /** In the currency of the price. */
  cost: number
  /** Measured on earlier batches of the model, or assumed. */
  basis: 'measured' | 'assumed'
}

export const outcomes = ({ totals: { ok, error } }: BatchSummary): number => ok + error

/** Whether a batch can be measured. Uploads cannot: they come in ones and twos, which cost more per image. */
const isMeasurable = (summary: BatchSummary): boolean =>
  isClosed(summary.state) && !isUploads(summary.batch) && summary.gbSeconds > 0 && outcomes(summary) > 0

/** Adds the usage of an open day of uploads: its summary has none until the day is closed. */
export async function withUsage(results: Bucket, summary: BatchSummary): Promise<BatchSummary> {
  if (!isUploads(summary.batch) || isClosed(summary.state)) return summary
  const day = await readBatch(results, summary.batch)
  if (!day) return summary
  const { usage } = await readUnsorted(results, day)
  const gbSeconds = gbSecondsOf(usage, day.model?.memory ?? manifestMemory)
  return {
    ...summary,
    containers: usage.containers.length,
    gbSeconds: rounded(gbSeconds),
    cost: rounded(gbSeconds * summary.pricePerGbSecond),
  }
}

/**
 * The number of classifications that a batch's GB-seconds paid for. The summary counts an image once; positions count
 * every run.
 */
async function classifications(results: Bucket, summary: BatchSummary): Promise<number> {
  const batch = await readBatch(results, summary.batch)
  return batch ? reported(batch) : outcomes(summary)
}

/** Estimates the usage of a batch from the newest batches. */
export async function estimateCost(
  results: Bucket,
  { modelVersion, images, memory = manifestMemory, price }: EstimateOptions,
): Promise<Estimate> {
  const measured = (await newestBatches(results, maxBatches)).filter(isMeasurable)
  const model = modelVersion ?? measured[0]?.model
  let gbSeconds = 0
  let count = 0
  for (const summary of measured.filter((one) => one.model === model)) {
    gbSeconds += summary.gbSeconds
    count += await classifications(results, summary)
  }
  const assumed = gbSecondsOf({ classifyMs: assumedMsPerImage, aggregateMs: 0 }, memory)
  const perImage = count > 0 ? gbSeconds / count : assumed
  return {
    gbSeconds: rounded(perImage * images),
    cost: rounded(perImage * images * price),
    basis: count > 0 ? 'measured' : 'assumed',
  }
}
