import { InvalidInputError } from '../../errors'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import { type Estimate, estimateCost } from '../summary/cost'
import { progressOf, reported } from '../summary/progress'
import type { Plan } from './plan'
import { planChunks } from './planning'

export interface CountContext {
  images: Bucket
  results: Bucket
  /** Milliseconds since the epoch. */
  stopAt: number
}

/**
 * Walks on from where a plan stands, to see what there is to do and what it is likely to cost. Writes nothing.
 * @throws InvalidInputError when time is up
 */
async function countAhead(plan: Plan, { images, results, stopAt }: CountContext) {
  const counted = { ...plan }
  for await (const { position } of planChunks(plan, images, results, { readOnly: true })) {
    Object.assign(counted, position)
    if (Date.now() >= stopAt) {
      throw new InvalidInputError('There are more images than one activation can count', {
        hint: 'Narrow the prefix; without dryRun and maxCost any number will do.',
      })
    }
  }
  const { modelVersion, memory, gbSecondPrice: price = 0 } = plan
  const pending = counted.planned - reported(counted)
  return { counted, estimate: await estimateCost(results, { modelVersion, images: pending, memory, price }) }
}

/** What a batch would do and is likely to cost, as the summary of one that is not planned yet. */
export async function dryRun(plan: Plan, context: CountContext): Promise<BatchSummary> {
  const { counted, estimate } = await countAhead(plan, context)
  const { gbSeconds, cost } = estimate
  return { ...progressOf(counted), state: 'planning', gbSeconds, cost }
}

/** @throws InvalidInputError when what is left of a plan is likely to cost more than it may */
export async function refuseAboveCost(plan: Plan, maxCost: number, context: CountContext): Promise<void> {
  const { counted, estimate } = await countAhead(plan, context)
  if (estimate.cost <= maxCost) return
  const images = counted.planned - reported(counted)
  throw new InvalidInputError(
    `A batch of ${images} is likely to cost ${estimate.cost} (${basisOf(estimate)}), more than maxCost, ${maxCost}`,
    { hint: 'Nothing was dispatched. Raise maxCost, or choose fewer images.' },
  )
}

const basisOf = ({ gbSeconds, basis }: Estimate): string =>
  `${gbSeconds} GB-s, ${basis === 'measured' ? 'by earlier batches' : 'an assumption, as none was measured yet'}`
