import { setTimeout as sleep } from 'node:timers/promises'
import { OpenWhiskError } from '../../errors'
import type { OpenWhisk } from '../../openwhisk/client'

/**
 * What an activation needs at its end to store its state and to hand over, milliseconds. What it dispatched last may
 * have used up the quota of the minute, and then its successor has to wait for the next one.
 */
export const handOverTime = 85_000

const pause = 2_000

/**
 * Invokes a successor as soon as the platform has room for it.
 * @param openwhisk a client that does not retry throttled calls itself: it would wait longer and longer between them
 * @param renew says that somebody is still in charge; where somebody else is by now, there is nothing to hand over
 * @throws OpenWhiskError when the platform refuses the successor for good
 */
export async function handOver(
  openwhisk: Pick<OpenWhisk, 'invoke'>,
  action: string,
  batch: string,
  renew: () => Promise<boolean>,
): Promise<void> {
  for (; await renew(); await sleep(pause)) {
    try {
      await openwhisk.invoke(action, { batch, resume: true })
      return
    } catch (thrown) {
      if (!(thrown instanceof OpenWhiskError && thrown.retryable)) throw thrown
    }
  }
}
