import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Settings, settingNames } from '../config'
import { BatchTakenOverError, InvalidInputError, OpenWhiskError, WhisklensError } from '../errors'
import { type Activation, siblingAction } from '../openwhisk/activation'
import { addressOf, connect, type OpenWhisk } from '../openwhisk/client'
import { type BatchRequest, type BatchSummary, batchRequestSchema, isClosed } from '../schema'
import { openStore, type Store } from '../storage/store'
import { isReported } from './aggregate'
import { requestCancel, withdrawCancel } from './ending'
import { acquireLease, type Lease, leaseTime } from './lease'
import { newPlan, nextPass, openPlan, type Plan, readPlan, resumePass } from './plan'
import { planChunks } from './planning'
import { progressOf, runBatch } from './run'
import { readSummary, writeSummary } from './summary-object'

/** What a run needs at its end to store its state and hand over, milliseconds. */
const handOver = 20_000

/** `20261122-073000-a1b2c3`: sorts by time, and two batches of one second differ. */
export const defaultBatchId = (now: Date, activationId: string): string =>
  `${now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${activationId.slice(0, 6)}`

/**
 * What was asked of `start-batch`, freed of the package's settings and of what the platform adds.
 * @throws InvalidInputError for a parameter that is unknown or not what it must be
 */
export function parseBatchRequest(params: Record<string, unknown>): BatchRequest {
  const settings: readonly string[] = settingNames.filter((name) => name !== 'model')
  const asked = Object.entries(params).filter(([name]) => !settings.includes(name) && name !== 'resume')
  const parsed = batchRequestSchema.safeParse(Object.fromEntries(asked))
  if (parsed.success) return parsed.data
  throw new InvalidInputError(`The batch request is not valid: ${z.prettifyError(parsed.error)}`)
}

/** What a batch runs on; the simulation in `bench/` scripts both. */
export interface Platform {
  store: Store
  /** Waits out throttling. */
  openwhisk: OpenWhisk
  /** Does not: a throttled dispatch tells the window to shrink. */
  impatient: OpenWhisk
}

/** The object store of the settings and the platform that runs the activation. */
export const platformOf = (settings: Settings, activation: Activation): Platform => ({
  store: openStore(settings),
  openwhisk: connect(addressOf(activation)),
  impatient: connect(addressOf(activation), 0),
})

/**
 * Starts a batch, or carries on with the one of that id: an open one where it stood, a closed one with what has been
 * added or changed since.
 * @returns the summary as it stands when this activation ends
 */
export async function startBatch(
  request: BatchRequest & { resume?: boolean },
  settings: Settings,
  activation: Activation,
  { store, openwhisk, impatient }: Platform = platformOf(settings, activation),
): Promise<BatchSummary> {
  const results = store.bucket(settings.resultsBucket)
  const bucket = request.bucket ?? settings.imagesBucket
  if (bucket === settings.resultsBucket) {
    throw new InvalidInputError(
      `The bucket "${bucket}" holds the results and cannot be the source of a batch`,
    )
  }
  const batch = request.batch ?? defaultBatchId(new Date(), activation.id)
  const sequence = siblingAction(activation, 'classify-images')

  /** The model asked for, and the version of it that answers. */
  const describeModel = async (model = settings.model): Promise<Pick<Plan, 'model' | 'modelVersion'>> => {
    const described = await openwhisk.call(siblingAction(activation, 'classify'), { describe: true, model })
    if (typeof described.model === 'string') return { model, modelVersion: described.model }
    throw new OpenWhiskError(0, 'classify did not say which model it runs')
  }
  const fresh = async (): Promise<Plan> =>
    newPlan(batch, request, { ...(await describeModel()), bucket, now: new Date() })

  if (request.dryRun) return dryRun(await fresh())
  // These name a batch; without one, there is nothing that their words could be about.
  const waits = request.resume || request.cancel
  if ((waits || request.retry) && !(await readPlan(results, batch))) {
    throw new InvalidInputError(`There is no batch "${batch}"`)
  }
  if (request.cancel) await requestCancel(results, batch)
  else if (!request.resume) await withdrawCancel(results, batch)
  const lease = await (waits ? awaitLease(batch) : acquireLease(results, batch, activation.id))
  const standing = await readSummary(results, batch)
  if (!lease) return standing ?? inCharge(batch)
  try {
    const { plan: existing, save } = await openPlan(results, batch)
    // A late closer of an earlier pass may have called the batch complete while the plan says more.
    const closed =
      standing &&
      isClosed(standing.state) &&
      (existing?.ended || (existing?.done && (await isReported(results, existing))))
    if (closed && waits) {
      await withdrawCancel(results, batch)
      await lease.release()
      return standing
    }
    if (existing && !waits && !request.retry) refuseOther(existing, request)
    // The holder's name makes this save a change, which voids the plan that a superseded holder may still want to save.
    const plan: Plan = { ...(await planOfThisRun(existing, Boolean(closed))), holder: activation.id }
    await save(plan)
    await writeSummary(results, progressOf(plan))
    const summary = await runBatch(plan, {
      // A request to carry on does not name the bucket again.
      images: store.bucket(plan.bucket),
      results,
      openwhisk: impatient,
      activationId: activation.id,
      sequence,
      stopAt: activation.deadline - handOver,
      onClosed: (closing) => openwhisk.fire('batch-completed', closing),
      save,
      renew: lease.renew,
    }).catch((thrown) => stopFor(thrown, plan, save))
    if (summary) await withdrawCancel(results, batch)
    // The successor waits for the lease; the other way round, a batch could be left with neither.
    else await openwhisk.invoke(activation.actionName, { batch, resume: true })
    await lease.release()
    return summary ?? progressOf(plan)
  } catch (thrown) {
    // What may pass looks like a death to everybody else, and so somebody carries on when the lease runs out.
    if (thrown instanceof WhisklensError && !thrown.retryable) await lease.release()
    throw thrown
  }

  /** A failure that no further activation would mend ends the batch, and its summary says why. */
  async function stopFor(thrown: unknown, plan: Plan, save: (plan: Plan) => Promise<void>): Promise<never> {
    const isFinal = thrown instanceof WhisklensError && !thrown.retryable
    if (isFinal && !(thrown instanceof BatchTakenOverError)) {
      plan.ended = 'stopped'
      await save(plan)
      await writeSummary(results, { ...progressOf(plan), state: 'stopped', reason: thrown.message })
    }
    throw thrown
  }

  async function planOfThisRun(existing: Plan | undefined, closed: boolean): Promise<Plan> {
    if (!existing) return fresh()
    if (!closed) return existing
    if (existing.ended) return resumePass(existing, request)
    return nextPass(existing, request, await describeModel(request.retry ? existing.model : undefined))
  }

  /** Whoever is to carry a batch on may come before its last holder is known to be gone. */
  async function awaitLease(id: string): Promise<Lease | undefined> {
    for (const end = Date.now() + 2 * leaseTime; Date.now() < end; await sleep(leaseTime / 10)) {
      const taken = await acquireLease(results, id, activation.id)
      if (taken || (await isClosedNow(id))) return taken
    }
    return undefined
  }

  async function isClosedNow(id: string): Promise<boolean> {
    const summary = await readSummary(results, id)
    return summary !== undefined && isClosed(summary.state)
  }

  async function dryRun(plan: Plan): Promise<BatchSummary> {
    for await (const { position } of planChunks(plan, store.bucket(bucket), results))
      Object.assign(plan, position)
    return progressOf(plan)
  }
}

/** An id stands for one selection of images: another under the same id would be silently left out. */
function refuseOther({ batch, bucket, prefix }: Plan, request: BatchRequest): void {
  if (request.prefix === prefix && (request.bucket ?? bucket) === bucket) return
  throw new InvalidInputError(`The batch "${batch}" is about s3://${bucket}/${prefix}`, {
    hint: 'Choose another id, or leave it out.',
  })
}

function inCharge(batch: string): never {
  throw new InvalidInputError(`The batch "${batch}" is just being started by another activation`, {
    retryable: true,
  })
}
