import { messageOf } from '../../errors'
import { log } from '../../log'
import { invokeWhenAccepted } from '../state/hand-over'
import { type Context, isTransient } from '../state/platform'

/**
 * Time reserved for storing state and handing over, milliseconds. If the last dispatch used up the minute's quota, the
 * successor can be invoked only in the next minute.
 */
export const handOverTime = 85_000

/** Consecutive activations without progress before giving up. */
export const maxFailures = 8

/** Backoff, milliseconds; doubles each time. Together the retries cover an outage of twenty minutes. */
const minBackoff = 5_000

/**
 * Retries in another activation after a transient failure: without alarms nothing else would.
 * @param message for `start-batch`; `failed` counts consecutive activations without progress
 */
export async function retryLater(
  thrown: unknown,
  { failed = 0, ...message }: Record<string, unknown> & { failed?: number },
  context: Context,
): Promise<void> {
  if (!isTransient(thrown) || failed >= maxFailures) return
  const { clock, activation } = context
  log.warn({ ...message, failed, reason: thrown.message }, 'retrying in another activation')
  const left = activation.deadline - handOverTime - clock.now()
  await clock.sleep(Math.max(0, Math.min(minBackoff * 2 ** failed, left)))
  const retryMessage = { ...message, failed: failed + 1 }
  await invokeWhenAccepted(retryMessage, context).catch((cause) =>
    log.warn({ ...message, reason: messageOf(cause) }, 'the retry could not be invoked'),
  )
}
