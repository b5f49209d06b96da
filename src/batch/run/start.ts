import type { Settings } from '../../config'
import { InvalidInputError } from '../../errors'
import { type Activation, siblingAction } from '../../openwhisk/activation'
import type { BatchSummary } from '../../schema'
import { dryRun, refuseAboveCost } from '../plan/counting'
import { newPlan, nextPass, type Plan, resumePass } from '../plan/plan'
import { progressOf, reported } from '../summary/progress'
import { readSummary, writeSummary } from '../summary/summary-object'
import { closeDay } from '../uploads/close-day'
import { isUploads } from '../uploads/day'
import { ensureAnnounced, type Tell } from './announce'
import { describeModel } from './answering-model'
import { requestCancel, withdrawCancel } from './ending'
import { isFinal, stopFor } from './failure'
import { handOver, handOverTime } from './hand-over'
import { acquireLease, awaitLease, type Lease, whileHolding } from './lease'
import { type AskedFor, findUnplanned, isMarked, markBegun, markClosed, markOpen } from './open'
import { type Charge, outlast } from './outlast'
import { type Platform, platformOf } from './platform'
import { defaultBatchId } from './request'
import { runBatch } from './run'
import { lookAt, refuseOther, type Standing } from './standing'

/** What is asked of `start-batch`, and how it has itself carried on. */
export type StartRequest = AskedFor & {
  resume?: boolean
  /** Activations in a row that failed and got nowhere. */
  failed?: number
}

/**
 * Starts a batch, or carries on with the one of that id: an open one where it stood, a closed one with what has been
 * added or changed since.
 * @returns the summary as it stands when this activation ends
 * @throws InvalidInputError when the request does not fit the batch of that id, or would cost more than `maxCost`
 */
export async function startBatch(
  request: StartRequest,
  settings: Settings,
  activation: Activation,
  platform: Platform = platformOf(settings, activation),
): Promise<BatchSummary> {
  const { failed = 0, ...asked } = request
  const batch = request.batch ?? defaultBatchId(new Date(), activation.id)
  const charge: Charge = { message: request.dryRun ? undefined : { ...asked, batch }, failed }
  try {
    return await carryOn({ ...request, batch }, settings, activation, platform, charge)
  } catch (thrown) {
    await outlast(thrown, charge, activation.deadline - handOverTime, (message) =>
      platform.openwhisk.invoke(activation.actionName, message),
    )
    throw thrown
  }
}

async function carryOn(
  { resume, failed, ...request }: StartRequest & { batch: string },
  settings: Settings,
  activation: Activation,
  { store, openwhisk, impatient }: Platform,
  charge: Charge,
): Promise<BatchSummary> {
  const firedAt = Date.now()
  const results = store.bucket(settings.resultsBucket)
  const { batch } = request
  const stopAt = activation.deadline - handOverTime
  const tell: Tell = (summary) => openwhisk.fire('batch-completed', summary)
  const goOn = () => openwhisk.invoke(activation.actionName, { batch, resume: true })
  if (resume && isUploads(batch)) {
    return closeDay(batch, { results, activationId: activation.id, stopAt, tell, goOn })
  }
  const bucketOf = (asked: AskedFor) => asked.bucket ?? settings.imagesBucket
  const bucket = bucketOf(request)
  if (bucket === settings.resultsBucket) {
    throw new InvalidInputError(
      `The bucket "${bucket}" holds the results and cannot be the source of a batch`,
    )
  }
  // These carry on what there is, when whoever is in charge of it has gone.
  const waits = resume || request.cancel
  const contextOf = (plan: Plan) => ({ images: store.bucket(plan.bucket), results, stopAt })

  if (request.dryRun) {
    const plan = await planOfThisRun({}, request)
    return dryRun(plan, contextOf(plan))
  }
  const before = await lookAt(results, batch)
  await refuseMisfit(before)
  if (request.maxCost !== undefined && !before.isOpen) {
    const plan = await planOfThisRun(before, request)
    await refuseAboveCost(plan, request.maxCost, contextOf(plan))
  }
  if (request.cancel) await requestCancel(results, batch)
  const lease = await takeLease()
  if (!lease) return (await readSummary(results, batch)) ?? inCharge(batch)
  return whileHolding(lease, async () => {
    // One that came after this request is obeyed.
    if (!waits) await withdrawCancel(results, batch, firedAt)
    const standing = await lookAt(results, batch)
    await refuseMisfit(standing)
    // Whoever began it may have died before there was a plan.
    const asked = waits ? await findUnplanned(results, batch, standing.plan) : request
    // What was begun after it had been closed was begun when that had been told.
    if (standing.closed && !(waits && asked)) await ensureAnnounced(results, standing.closed, tell)
    if (standing.closed && !asked) {
      await withdrawCancel(results, batch)
      return standing.closed
    }
    // Asking for the model takes time, and may fail.
    if (asked && !standing.isOpen) await markBegun(results, batch, asked, standing.plan)
    charge.message = { batch, resume: true }
    const plan = asked ? await planBegun(standing, asked) : standing.plan
    if (!plan) {
      await withdrawCancel(results, batch)
      await markClosed(results, batch)
      throw noSuchBatch(batch)
    }
    await markOpen(results, batch)
    // The holder's name makes this save a change, which voids the plan that a superseded holder may still want to save.
    return run({ ...plan, holder: activation.id }, standing.save, lease)
  })

  /** A batch that is carried on has to be there, and one that is fired again has to be about the same images. */
  async function refuseMisfit({ plan, closed }: Partial<Standing>): Promise<void> {
    if (plan && !waits) refuseOther(plan, request, closed !== undefined)
    if (plan || !(waits || request.retry)) return
    if (!waits || !(await isMarked(results, batch))) throw noSuchBatch(batch)
  }

  async function planBegun(standing: Standing, asked: AskedFor): Promise<Plan> {
    try {
      return await planOfThisRun(standing, asked)
    } catch (thrown) {
      if (isFinal(thrown)) await markClosed(results, batch)
      throw thrown
    }
  }

  async function planOfThisRun({ plan, closed }: Partial<Standing>, asked: AskedFor): Promise<Plan> {
    const model = (asked.retry && plan?.model) || asked.model || settings.model
    const describe = () => describeModel(openwhisk, activation, settings, model)
    if (!plan)
      return newPlan(batch, asked, { ...(await describe()), bucket: bucketOf(asked), now: new Date() })
    if (plan.ended) return resumePass(plan, asked)
    return closed ? nextPass(plan, asked, await describe()) : plan
  }

  async function takeLease(): Promise<Lease | undefined> {
    const isClosed = async () => (await lookAt(results, batch)).closed !== undefined
    if (waits) return awaitLease(results, batch, activation.id, isClosed)
    // The activation before may have taken the lease without hearing of it.
    if (failed) return awaitLease(results, batch, activation.id)
    const taken = await acquireLease(results, batch, activation.id)
    // Whoever closed it is about to leave: a further pass is not to be lost over that.
    return taken || !(await isClosed()) ? taken : awaitLease(results, batch, activation.id)
  }

  async function run(plan: Plan, save: Standing['save'], lease: Lease): Promise<BatchSummary> {
    await save(plan)
    await writeSummary(results, progressOf(plan))
    const stood = standingOf(plan)
    const summary = await runBatch(plan, {
      ...contextOf(plan),
      openwhisk: impatient,
      activationId: activation.id,
      sequence: siblingAction(activation, 'classify-images'),
      onClosed: tell,
      save,
      renew: lease.renew,
    }).catch(async (thrown) => {
      if (standingOf(plan) !== stood) charge.failed = 0
      if (isFinal(thrown)) await stopFor(thrown, plan, { results, save, tell })
      throw thrown
    })
    if (summary) await withdrawCancel(results, batch)
    // The successor waits for the lease; the other way round, a batch could be left with neither.
    else await handOver(impatient, activation.actionName, batch, lease.renew)
    return summary ?? progressOf(plan)
  }
}

/** Differs once a run of the batch came further. */
const standingOf = (plan: Plan): string => `${plan.cursor} ${plan.next} ${reported(plan)}`

const noSuchBatch = (batch: string): InvalidInputError =>
  new InvalidInputError(`There is no batch "${batch}"`)

function inCharge(batch: string): never {
  throw new InvalidInputError(`The batch "${batch}" is just being started by another activation`, {
    retryable: true,
  })
}
