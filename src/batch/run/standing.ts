import { InvalidInputError } from '../../errors'
import { type BatchRequest, type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { isReported } from '../chunk/parts'
import { differences } from '../plan/filters'
import { openPlan, type Plan } from '../plan/plan'
import { readSummary } from '../summary/summary-object'

/** How a batch stands for whoever wants to carry it on. */
export interface Standing {
  plan?: Plan
  /** Fails when somebody else has saved the plan meanwhile. */
  save(plan: Plan): Promise<void>
  /** Its final summary, where all of it is done or it was ended early. */
  closed?: BatchSummary
  /** Whether there is something of it under way. */
  isOpen: boolean
}

export async function lookAt(results: Bucket, batch: string): Promise<Standing> {
  const summary = await readSummary(results, batch)
  const { plan, save } = await openPlan(results, batch)
  const closed = summary && plan && (await closes(results, summary, plan)) ? summary : undefined
  return { plan, save, closed, isOpen: plan !== undefined && !plan.ended && !closed }
}

/** Whether a summary is final: a late closer of an earlier pass may call a batch complete while its plan says more. */
export const closes = async (results: Bucket, { state }: BatchSummary, plan: Plan): Promise<boolean> =>
  isClosed(state) && (plan.ended !== undefined || (plan.done && (await isReported(results, plan))))

/**
 * An id stands for one prefix, and while a batch is open for one selection of images: others under the same id would be
 * left out without a word.
 * @throws InvalidInputError
 */
export function refuseOther(plan: Plan, request: BatchRequest, closed: boolean): void {
  const { batch, bucket, prefix, ended } = plan
  const hint = 'Choose another id, or leave it out.'
  if (!request.retry && (request.prefix !== prefix || (request.bucket ?? bucket) !== bucket)) {
    throw new InvalidInputError(`The batch "${batch}" is about s3://${bucket}/${prefix}`, { hint })
  }
  const isNewPass = closed && !ended
  if (isNewPass && !request.retry) return
  // A retry goes by the batch's own filters; it need not name them, and may do less at a time.
  const others = differences(plan, request).filter((name) => !request.retry || request[name] !== undefined)
  const refused = isNewPass ? others.filter((name) => name !== 'limit') : others
  if (refused.length === 0) return
  throw new InvalidInputError(
    `The batch "${batch}" goes on, and was fired with another ${refused.join(', ')}`,
    {
      hint: 'Give the same filters, retry it, or choose another id.',
    },
  )
}
