import { messageOf } from '../../errors'
import { log } from '../../log'
import { invokePatiently } from '../state/hand-over'
import { type Context, mayPass } from '../state/platform'

/**
 * What an activation needs at its end to store its state and to hand over, milliseconds. What it dispatched last may
 * have used up the quota of the minute, and then its successor has to wait for the next one.
 */
export const handOverTime = 85_000

/** After so many activations in a row that failed and got nowhere, no further one is asked for. */
export const maxFailures = 8

/** Doubles from one such activation to the next, milliseconds: together they outlast a failure of twenty minutes. */
const firstPause = 5_000

/**
 * Has something done again after a failure of the store or the platform in passing: where there are no alarms, nothing
 * else would.
 * @param message asks `start-batch` for it; `failed` activations in a row have got nowhere
 */
export async function retryLater(
  thrown: unknown,
  { failed = 0, ...message }: Record<string, unknown> & { failed?: number },
  context: Context,
): Promise<void> {
  if (!mayPass(thrown) || failed >= maxFailures) return
  const { clock, activation } = context
  log.warn({ ...message, failed, reason: thrown.message }, 'another activation is to try again')
  const left = activation.deadline - handOverTime - clock.now()
  await clock.sleep(Math.max(0, Math.min(firstPause * 2 ** failed, left)))
  const again = { ...message, failed: failed + 1 }
  await invokePatiently(again, context).catch((cause) =>
    log.warn({ ...message, reason: messageOf(cause) }, 'no activation could be asked to try again'),
  )
}
