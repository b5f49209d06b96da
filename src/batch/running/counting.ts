import { InvalidInputError } from '../../errors'
import type { BatchSummary } from '../../schema'
import { planChunks } from '../planning/planner'
import { type Estimate, estimateCost } from '../reports/cost'
import { progressOf } from '../reports/progress'
import type { OpenBatch } from '../state/batch'
import type { Context } from '../state/platform'
import { handOverTime } from './retry-later'

/** Counts the images due and estimates their cost. Leaves no objects behind. */
async function countAhead(batch: OpenBatch, context: Context) {
  const counted = { ...batch, plan: { ...batch.plan } }
  try {
    await count(batch, counted.plan, context)
  } finally {
    const before = batch.plan.list?.files ?? []
    const made = counted.plan.list?.files.filter((file) => !before.includes(file)) ?? []
    await context.results.deleteAll(made)
  }
  const { modelVersion, memory, gbSecondPrice: price = 0 } = batch.model
  const images = counted.plan.planned - counted.plan.base
  return { counted, estimate: await estimateCost(context.results, { modelVersion, images, memory, price }) }
}

/** Plans the whole batch without writing chunks. @param plan advanced to its end */
async function count(
  batch: OpenBatch,
  plan: OpenBatch['plan'],
  { store, results, clock, activation }: Context,
): Promise<void> {
  for await (const { position } of planChunks(batch, store, results, { now: clock.now(), readOnly: true })) {
    Object.assign(plan, position)
    if (clock.now() < activation.deadline - handOverTime) continue
    throw new InvalidInputError('too_many_images', 'There are more images than one activation can count', {
      hint: 'Narrow the prefix; without dryRun and maxCost there is no limit.',
    })
  }
}

/** The expected work and cost of a batch, as the summary of an unplanned one. */
export async function dryRun(batch: OpenBatch, context: Context): Promise<BatchSummary> {
  const { counted, estimate } = await countAhead(batch, context)
  const { gbSeconds, cost } = estimate
  return { ...progressOf(counted), state: 'planning', gbSeconds, cost }
}

/** @throws InvalidInputError when the estimated cost exceeds the limit */
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
  `${gbSeconds} GB-s, ${basis === 'measured' ? 'from earlier batches' : 'assumed, as no batch was measured yet'}`
