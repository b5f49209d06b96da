import { BatchTakenOverError, OpenWhiskError } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { type AcquireOptions, acquire } from './acquire'
import type { Lease } from './lease'
import type { Context } from './platform'

/** What everybody sends who has a batch carried on. */
export interface Advance {
  advance: string
  /** Activations in a row that failed without any progress. */
  failed?: number
}

/** Asks for an activation that carries a batch on. */
export const invokeAdvance = ({ openwhisk, activation }: Context, message: Advance): Promise<string> =>
  openwhisk.invoke(siblingAction(activation, 'start-batch'), message)

export const minute = 60_000

/** Behind the turn of a minute, milliseconds: clocks differ, and all who wait for it wait for the same. */
const afterTurn = 1_000

/** Invocations that the platform takes in a minute of the clock, where it has refused one for that. */
export function perMinuteOf({ message }: OpenWhiskError): number | undefined {
  const match = /in the last minute \(count: \d+, allowed: (\d+)\)/.exec(message)
  return match ? Number(match[1]) : undefined
}

/** When to ask again after a refusal, milliseconds since the epoch. What is refused counts against its minute, too. */
export function afterRefusal(
  thrown: OpenWhiskError,
  { clock, random }: Pick<Context, 'clock' | 'random'>,
): number {
  const now = clock.now()
  if (perMinuteOf(thrown) === undefined) return now + (1 + random()) * 2_000
  return (Math.floor(now / minute) + 1) * minute + afterTurn + random() * 2_000
}

/** How often a holder that waits says that it is there, milliseconds. */
const signEvery = 2_000

/** Before its deadline an activation gives the lease back, milliseconds. */
const leaveBefore = 5_000

/**
 * Gives a batch to a successor, as soon as the platform has room for it. The lease is kept until the successor takes it.
 * @returns false when time was up before: the lease is free, and the batch says that work is left
 * @throws OpenWhiskError when the platform refuses the successor for good
 */
export async function handOver(lease: Lease, context: Context): Promise<boolean> {
  const { clock, activation } = context
  const message = { advance: lease.batch().batch }
  const until = activation.deadline - leaveBefore
  try {
    if (lease.batch().lease.phase !== 'yielding') await lease.offer()
    for (let askAt: number | undefined = 0; askAt < until; ) {
      const wait = askAt - clock.now()
      if (wait > 0) await clock.sleep(Math.min(signEvery, wait))
      if (wait > 0) await lease.save()
      else askAt = await request(message, context)
      if (askAt === undefined) return true
    }
  } catch (thrown) {
    // The next holder carries the batch on.
    if (thrown instanceof BatchTakenOverError) return true
    throw thrown
  }
  log.warn(message, 'the platform has no room for the next activation: reconcile, or the next event, goes on')
  await lease.release()
  return false
}

/** @returns when to ask again, milliseconds since the epoch; undefined where the platform has taken the request */
async function request(message: Advance, context: Context): Promise<number | undefined> {
  try {
    await invokeAdvance(context, message)
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof OpenWhiskError && thrown.retryable)) throw thrown
    return afterRefusal(thrown, context)
  }
}

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
