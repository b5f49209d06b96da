import type { Bucket } from '../../storage/store'
import { cancelKey } from '../layout'
import type { Plan } from '../plan/plan'
import { reported } from '../summary/progress'

/** A share of errors says nothing before so many images have reported. */
const smallestSample = 20

/** Asks whoever is in charge of a batch to end it. */
export async function requestCancel(results: Bucket, batch: string): Promise<void> {
  await results.put(cancelKey(batch), '{}', { contentType: 'application/json' })
}

/** @param upTo leaves what was asked for later than that, milliseconds since the epoch */
export async function withdrawCancel(results: Bucket, batch: string, upTo = Infinity): Promise<void> {
  const asked = await results.head(cancelKey(batch))
  if (asked && Date.parse(asked.lastModified) <= upTo) await results.delete(cancelKey(batch))
}

/** Whether more images failed than the batch allows. */
export function hasTooManyErrors(plan: Plan): boolean {
  const { maxErrors, before = { reported: 0, errors: 0 } } = plan
  if (maxErrors === undefined) return false
  const allowed = Number.parseInt(maxErrors, 10)
  const errors = plan.errors - before.errors
  if (!maxErrors.endsWith('%')) return errors > allowed
  const images = reported(plan) - before.reported
  return images >= smallestSample && errors * 100 > allowed * images
}

/** What the summary of a batch says that too many errors stopped; from its plan alone, so that all closers say the same. */
export const reasonOf = (plan: Plan): string | undefined =>
  plan.ended === 'stopped' && hasTooManyErrors(plan)
    ? `More errors than maxErrors (${plan.maxErrors}) allows; a retry goes on where it ended`
    : undefined

/** Why a batch is to end before all of it is done, if it is. */
export async function whyEnd(plan: Plan, results: Bucket): Promise<Plan['ended']> {
  if (hasTooManyErrors(plan)) return 'stopped'
  return (await results.head(cancelKey(plan.batch))) ? 'cancelled' : undefined
}
