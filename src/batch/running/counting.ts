import { InvalidInputError } from '../../errors'
import type { BatchSummary } from '../../schema'
import { planChunks } from '../planning/planner'
import { type Estimate, estimateCost } from '../reports/cost'
import { progressOf } from '../reports/progress'
import type { OpenBatch } from '../state/batch'
import type { Context } from '../state/platform'
import { handOverTime } from './outlast'

/** Counts what there is to do in a batch and what it is likely to cost. Writes nothing. */
async function countAhead(batch: OpenBatch, { store, results, clock, activation }: Context) {
  const counted = { ...batch, plan: { ...batch.plan } }
  const images = store.bucket(batch.bucket)
  const walk = planChunks(batch, images, results, { now: clock.now(), readOnly: true })
  for await (const { position } of walk) {
    Object.assign(counted.plan, position)
    if (clock.now() < activation.deadline - handOverTime) continue
    throw new InvalidInputError('too_many_images', 'There are more images than one activation can count', {
      hint: 'Narrow the prefix; without dryRun and maxCost any number will do.',
    })
  }
  const { modelVersion, memory, gbSecondPrice: price = 0 } = batch.model
  const images_ = counted.plan.planned - counted.plan.base
  return { counted, estimate: await estimateCost(results, { modelVersion, images: images_, memory, price }) }
}

/** What a batch would do and is likely to cost, as the summary of one that is not planned yet. */
export async function dryRun(batch: OpenBatch, context: Context): Promise<BatchSummary> {
  const { counted, estimate } = await countAhead(batch, context)
  const { gbSeconds, cost } = estimate
  return { ...progressOf(counted), state: 'planning', gbSeconds, cost }
}

/** @throws InvalidInputError when what there is to do is likely to cost more than it may */
export async function refuseAboveCost(batch: OpenBatch, maxCost: number, context: Context): Promise<void> {
  const { counted, estimate } = await countAhead(batch, context)
  if (estimate.cost <= maxCost) return
  const images = counted.plan.planned - counted.plan.base
  throw new InvalidInputError(
    'cost_exceeded',
    `A batch of ${images} is likely to cost ${estimate.cost} (${basisOf(estimate)}), more than maxCost, ${maxCost}`,
    { hint: 'Nothing was dispatched. Raise maxCost, or choose fewer images.' },
  )
}

const basisOf = ({ gbSeconds, basis }: Estimate): string =>
  `${gbSeconds} GB-s, ${basis === 'measured' ? 'by earlier batches' : 'an assumption, as none was measured yet'}`
