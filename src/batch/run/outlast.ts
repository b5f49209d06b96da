import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, OpenWhiskError, StorageError } from '../../errors'
import { log } from '../../log'

/** After so many activations in a row that failed and got nowhere, nobody is called any more. */
const mostFailures = 8

/** Doubles from one such activation to the next, milliseconds: together they outlast a failure of twenty minutes. */
const firstPause = 5_000

/** What an activation has to see done, and what came before. */
export interface Charge {
  /** Asks another activation for it; nothing where there is nobody to do it for. */
  message?: object
  /** Activations in a row that failed without any progress. */
  failed: number
}

/**
 * Has a batch begun or carried on after a failure of the store or the platform that may pass: where there are no
 * alarms, nobody else would.
 * @param stopAt when to pause no longer, milliseconds since the epoch
 * @param goOn invokes a successor, which waits for the lease
 */
export async function outlast(
  thrown: unknown,
  { message, failed }: Charge,
  stopAt: number,
  goOn: (message: object) => Promise<unknown>,
): Promise<void> {
  const mayPass = (thrown instanceof StorageError || thrown instanceof OpenWhiskError) && thrown.retryable
  if (message === undefined || !mayPass || failed >= mostFailures) return
  log.warn({ ...message, failed, reason: thrown.message }, 'another activation is to try again')
  await sleep(Math.max(0, Math.min(firstPause * 2 ** failed, stopAt - Date.now())))
  await goOn({ ...message, failed: failed + 1 }).catch((cause) =>
    log.warn({ ...message, reason: messageOf(cause) }, 'nobody is called to carry the batch on'),
  )
}
