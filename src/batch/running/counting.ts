import { InvalidInputError } from '../../errors'
import type { BatchSummary } from '../../schema'
import { planChunks } from '../planning/planner'
import { type Estimate, estimateCost } from '../reports/cost'
import { progressOf } from '../reports/progress'
import type { OpenBatch } from '../state/batch'
import type { Context } from '../state/platform'
import { handOverTime } from './retry-later'

/** Counts what there is to do in a batch and what it is likely to cost. Leaves nothing behind. */
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

/** Plans all of a batch, and writes no chunk. @param plan is moved to its end */
async function count(
  batch: OpenBatch,
  plan: OpenBatch['plan'],
  { store, results, clock, activation }: Context,
): Promise<void> {
  for await (const { position } of planChunks(batch, store, results, { now: clock.now(), readOnly: true })) {
    Object.assign(plan, position)
    if (clock.now() < activation.deadline - handOverTime) continue
    throw new InvalidInputError('too_many_images', 'There are more images than one activation can count', {
      hint: 'Narrow the prefix; without dryRun and maxCost any number will do.',
    })
  }
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
