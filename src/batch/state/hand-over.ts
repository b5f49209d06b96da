import { BatchTakenOverError, OpenWhiskError } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { type AcquireOptions, acquire } from './acquire'
import type { Batch } from './batch'
import { isLive, type Lease } from './lease'
import { type Context, retrying } from './platform'

/** The message to advance a batch. */
export interface Advance {
  advance: string
  /** Consecutive activations that failed without progress. */
  failed?: number
}

const invokeStartBatch = ({ openwhisk, activation }: Context, message: object): Promise<string> =>
  openwhisk.invoke(siblingAction(activation, 'start-batch'), message)

/** Invokes an activation to advance a batch; retries while the platform refuses. */
export function invokeAdvance(context: Context, batch: string): Promise<string> {
  const message: Advance = { advance: batch }
  return retrying(context, () => invokeStartBatch(context, message))
}

export const minute = 60_000

/** Delay after a minute's turn, milliseconds: clocks differ, and all refused callers wait for the same turn. */
const turnMargin = 1_000

/** A refusal of the platform. `until` is when to try again, milliseconds since the epoch. */
export interface Refusal {
  until: number
  /** Its limit of invocations per clock minute, if that was the reason. */
  perMinute?: number
}

/** Whether the platform refused for now. */
const isRefused = (thrown: unknown): thrown is OpenWhiskError =>
  thrown instanceof OpenWhiskError && thrown.retryable

/** Parses a refusal. Refused requests count against the minute's limit too. @throws any other error */
export function refusalOf(thrown: unknown, { clock, random }: Pick<Context, 'clock' | 'random'>): Refusal {
  if (!isRefused(thrown)) throw thrown
  const now = clock.now()
  const [, allowed] = /in the last minute \(count: \d+, allowed: (\d+)\)/.exec(thrown.message) ?? []
  if (allowed === undefined) return { until: now + (1 + random()) * 2_000 }
  const turn = (Math.floor(now / minute) + 1) * minute
  return { until: turn + turnMargin + random() * 2_000, perMinute: Number(allowed) }
}

/** How often a waiting holder renews its lease, milliseconds. */
const renewEvery = 2_000

/** No request begins later than this before the deadline, milliseconds. */
const requestMargin = 5_000

/**
 * Invokes `start-batch`, retrying until the platform accepts.
 * @param renew called while waiting
 * @throws OpenWhiskError when it refuses permanently, or until shortly before the deadline
 */
export async function invokeWhenAccepted(
  message: object,
  context: Context,
  renew = async (): Promise<void> => {},
): Promise<void> {
  const { clock, activation } = context
  for (let retryAt = 0; ; ) {
    const wait = retryAt - clock.now()
    if (wait > 0) {
      await clock.sleep(Math.min(renewEvery, wait))
      await renew()
      continue
    }
    try {
      await invokeStartBatch(context, message)
      return
    } catch (thrown) {
      retryAt = refusalOf(thrown, context).until
      if (retryAt >= activation.deadline - requestMargin) throw thrown
    }
  }
}

/**
 * Hands a batch over to a successor. Keeps the lease until the successor takes it.
 * @returns false when time ran out first: the lease is released, and the batch marked as having work
 * @throws OpenWhiskError when the platform refuses permanently
 */
export async function handOver(lease: Lease, context: Context): Promise<boolean> {
  const message: Advance = { advance: lease.batch().batch }
  try {
    if (lease.batch().lease.phase !== 'yielding') await lease.offer()
    await invokeWhenAccepted(message, context, async () => {
      await lease.save()
    })
    return true
  } catch (thrown) {
    // The successor advances the batch.
    if (thrown instanceof BatchTakenOverError) return true
    if (!isRefused(thrown)) throw thrown
  }
  log.warn(message, 'no successor could be invoked: reconcile or the next event resumes the batch')
  await lease.release()
  return false
}

/** Whether a batch has no live holder that stays. @param age of the document since its last write, milliseconds */
export const needsHolder = (batch: Batch, age: number): boolean =>
  !isLive(batch, age) || batch.lease.phase === 'leaving'

/**
 * Ensures that a batch has a holder. Of concurrent callers one takes the lease and invokes a successor.
 * @returns whether this activation invoked one
 */
export async function ensureAdvancing(
  context: Context,
  batch: string,
  options: Pick<AcquireOptions, 'create' | 'expects'> = {},
): Promise<boolean> {
  const lease = await acquire(context, batch, { ...options, isWorker: false, offers: true })
  if (!lease) return false
  try {
    return await handOver(lease, context)
  } catch (thrown) {
    await lease.release().catch(() => {})
    throw thrown
  }
}
