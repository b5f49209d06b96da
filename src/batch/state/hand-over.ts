import { BatchTakenOverError, OpenWhiskError } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { type AcquireOptions, acquire } from './acquire'
import type { Batch } from './batch'
import { isLive, type Lease } from './lease'
import { type Context, retrying } from './platform'

/** The message that has a batch carried on. */
export interface Advance {
  advance: string
  /** Activations in a row that failed without any progress. */
  failed?: number
}

const invokeStartBatch = ({ openwhisk, activation }: Context, message: object): Promise<string> =>
  openwhisk.invoke(siblingAction(activation, 'start-batch'), message)

/** Asks for an activation that carries a batch on; retries while the platform has no room. */
export function invokeAdvance(context: Context, batch: string): Promise<string> {
  const message: Advance = { advance: batch }
  return retrying(context, () => invokeStartBatch(context, message))
}

export const minute = 60_000

/** Behind the turn of a minute, milliseconds: clocks differ, and all who wait for it wait for the same. */
const afterTurn = 1_000

/** Why the platform has refused something, and from when on it may be asked again, milliseconds since the epoch. */
export interface Refusal {
  until: number
  /** Invocations that it takes in a minute of the clock, where that was the reason. */
  perMinute?: number
}

/** Whether the platform has no room for now. */
const isRefused = (thrown: unknown): thrown is OpenWhiskError =>
  thrown instanceof OpenWhiskError && thrown.retryable

/** What a refusal says. What is refused counts against its minute, too. @throws what is no refusal */
export function refusalOf(thrown: unknown, { clock, random }: Pick<Context, 'clock' | 'random'>): Refusal {
  if (!isRefused(thrown)) throw thrown
  const now = clock.now()
  const [, allowed] = /in the last minute \(count: \d+, allowed: (\d+)\)/.exec(thrown.message) ?? []
  if (allowed === undefined) return { until: now + (1 + random()) * 2_000 }
  const turn = (Math.floor(now / minute) + 1) * minute
  return { until: turn + afterTurn + random() * 2_000, perMinute: Number(allowed) }
}

/** How often a holder that waits says that it is there, milliseconds. */
const signEvery = 2_000

/** Before its deadline an activation begins no further request so late, milliseconds. */
const leaveBefore = 5_000

/**
 * Asks for an activation of `start-batch` until the platform has room for it.
 * @param sign called now and then while it has none
 * @throws OpenWhiskError when it refuses for good, or until shortly before the deadline
 */
export async function invokePatiently(
  message: object,
  context: Context,
  sign = async (): Promise<void> => {},
): Promise<void> {
  const { clock, activation } = context
  for (let askAt = 0; ; ) {
    const wait = askAt - clock.now()
    if (wait > 0) {
      await clock.sleep(Math.min(signEvery, wait))
      await sign()
      continue
    }
    try {
      await invokeStartBatch(context, message)
      return
    } catch (thrown) {
      askAt = refusalOf(thrown, context).until
      if (askAt >= activation.deadline - leaveBefore) throw thrown
    }
  }
}

/**
 * Gives a batch to a successor, as soon as the platform has room for it. The lease is kept until the successor takes it.
 * @returns false when time was up before: the lease is free, and the batch says that work is left
 * @throws OpenWhiskError when the platform refuses the successor for good
 */
export async function handOver(lease: Lease, context: Context): Promise<boolean> {
  const message: Advance = { advance: lease.batch().batch }
  try {
    if (lease.batch().lease.phase !== 'yielding') await lease.offer()
    await invokePatiently(message, context, async () => {
      await lease.save()
    })
    return true
  } catch (thrown) {
    // The next holder carries the batch on.
    if (thrown instanceof BatchTakenOverError) return true
    if (!isRefused(thrown)) throw thrown
  }
  log.warn(message, 'the platform has no room for the next activation: reconcile, or the next event, goes on')
  await lease.release()
  return false
}

/** Whether a batch has no live holder that stays. @param age how long its document was not written, milliseconds */
export const needsHolder = (batch: Batch, age: number): boolean =>
  !isLive(batch, age) || batch.lease.phase === 'leaving'

/**
 * Sees to it that a batch is carried on: where its holder lives, there is nothing to do. Many may do so at once: one of
 * them takes the lease for a successor.
 * @returns whether this activation has asked for one
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
