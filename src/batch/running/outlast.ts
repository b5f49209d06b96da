import { messageOf, OpenWhiskError } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { afterRefusal } from '../state/hand-over'
import { type Context, mayPass } from '../state/platform'

/**
 * What an activation needs at its end to store its state and to hand over, milliseconds. What it dispatched last may
 * have used up the quota of the minute, and then its successor has to wait for the next one.
 */
export const handOverTime = 85_000

/** After so many activations in a row that failed and got nowhere, no further one is asked for. */
export const mostFailures = 8

/** Before its deadline an activation begins no further request so late, milliseconds. */
const lastCallTime = 5_000

/** Doubles from one such activation to the next, milliseconds: together they outlast a failure of twenty minutes. */
const firstPause = 5_000

/**
 * Has something done again after a failure of the store or the platform in passing: where there are no alarms, nothing
 * else would.
 * @param message asks `start-batch` for it; `failed` activations in a row have got nowhere
 */
export async function outlast(
  thrown: unknown,
  { failed = 0, ...message }: Record<string, unknown> & { failed?: number },
  context: Context,
): Promise<void> {
  if (!mayPass(thrown) || failed >= mostFailures) return
  const { clock, activation } = context
  log.warn({ ...message, failed, reason: thrown.message }, 'another activation is to try again')
  const left = activation.deadline - handOverTime - clock.now()
  await clock.sleep(Math.max(0, Math.min(firstPause * 2 ** failed, left)))
  const again = { ...message, failed: failed + 1 }
  await invokeBeforeDeadline(siblingAction(activation, 'start-batch'), again, context).catch((cause) =>
    log.warn({ ...message, reason: messageOf(cause) }, 'no activation could be asked to try again'),
  )
}

/** Repeats an invocation that was refused, past the turn of the minute where that is why, for as long as there is time. */
async function invokeBeforeDeadline(action: string, message: object, context: Context): Promise<void> {
  const { clock, activation, openwhisk } = context
  for (;;) {
    try {
      await openwhisk.invoke(action, message)
      return
    } catch (thrown) {
      if (!(thrown instanceof OpenWhiskError && thrown.retryable)) throw thrown
      const askAt = afterRefusal(thrown, context)
      if (askAt > activation.deadline - lastCallTime) throw thrown
      await clock.sleep(askAt - clock.now())
    }
  }
}
