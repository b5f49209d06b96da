import { BatchTakenOverError, OpenWhiskError } from '../../errors'
import { siblingAction } from '../../openwhisk/activation'
import { type AcquireOptions, acquire, type Lease } from './lease'
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

/**
 * Gives a batch to a successor, as soon as the platform has room for it. The successor waits for the lease; the other
 * way round, the batch could be left with neither.
 * @throws OpenWhiskError when the platform refuses the successor for good
 */
export async function handOver(lease: Lease, context: Context): Promise<void> {
  const { clock } = context
  const message = { advance: lease.batch().batch }
  try {
    for (let askAt = 0; ; ) {
      if (clock.now() < askAt) {
        await clock.sleep(Math.min(signEvery, askAt - clock.now()))
        await lease.save()
        continue
      }
      try {
        await invokeAdvance(context, message)
        break
      } catch (thrown) {
        if (!(thrown instanceof OpenWhiskError && thrown.retryable)) throw thrown
        askAt = afterRefusal(thrown, context)
      }
    }
  } catch (thrown) {
    // Whoever has the lease carries the batch on.
    if (thrown instanceof BatchTakenOverError) return
    throw thrown
  }
  await lease.release()
}

/**
 * Sees to it that a batch is carried on: where its holder lives, there is nothing to do. Many may do so at once: one of
 * them takes the lease for a successor.
 * @returns whether this activation has asked for one
 */
export async function ensureAdvancing(
  context: Context,
  batch: string,
  options: Omit<AcquireOptions, 'waits'> = {},
): Promise<boolean> {
  const lease = await acquire(context, batch, { ...options, waits: false })
  if (!lease) return false
  await handOver(lease, context)
  return true
}
