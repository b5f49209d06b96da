import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { gbSecondsOf, type Memory, manifestMemory, rounded } from '../records/usage'
import { readBatch } from '../state/batch'
import { reported } from '../state/transitions'
import { isUploads } from '../uploads/day'
import { readUnsorted } from '../uploads/sort'
import { newestBatches } from './newest'

/** What an image is taken to need while nothing was measured: about twice what one takes on WebAssembly, milliseconds. */
export const assumedMsPerImage = 100

/** So many batches are looked at. */
const newest = 20

interface EstimateOptions {
  /** `<id>@<8 hex>`; that of the newest measured batch where it is left out. */
  modelVersion?: string
  images: number
  memory?: Memory
  /** Of a GB-second. */
  price: number
}

export interface Estimate {
  gbSeconds: number
  /** In the currency of the price. */
  cost: number
  /** Where it comes from: earlier batches of the same model, or an assumption for want of any. */
  basis: 'measured' | 'assumed'
}

export const outcomes = ({ totals: { ok, error } }: BatchSummary): number => ok + error

/** Uploads come in ones and twos, which takes more for each than a batch does. */
const tells = (summary: BatchSummary): boolean =>
  isClosed(summary.state) && !isUploads(summary.batch) && summary.gbSeconds > 0 && outcomes(summary) > 0

/** A summary with what its batch has used, which that of a day of uploads tells only once the day is closed. */
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
 * How many classifications a batch's GB-seconds are of. Its summary counts an image once, however often the batch was
 * fired again and did it anew; it has a position for each time.
 */
async function classifications(results: Bucket, summary: BatchSummary): Promise<number> {
  const batch = await readBatch(results, summary.batch)
  return batch ? reported(batch) : outcomes(summary)
}

/** What a batch of so many images will use, judged by the newest batches. */
export async function estimateCost(
  results: Bucket,
  { modelVersion, images, memory = manifestMemory, price }: EstimateOptions,
): Promise<Estimate> {
  const telling = (await newestBatches(results, newest)).filter(tells)
  const model = modelVersion ?? telling[0]?.model
  let gbSeconds = 0
  let count = 0
  for (const summary of telling.filter((one) => one.model === model)) {
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
