import type { Complaints } from './invariants'
import { resultOf } from './platform/openwhisk'
import type { World } from './world'

/** More events than any run needs without a livelock. */
export const maxEvents = 100_000

/** Sends a message to `start-batch` and waits until the world is quiet. */
export async function sendAndReconcile(world: World, message: object, complaints: Complaints): Promise<void> {
  await send(world, message)
  await reconcileUntilQuiet(world, complaints)
}

export async function send({ platform, time, trace }: World, message: object) {
  for (;;) {
    try {
      trace.add(time.now, `— ${JSON.stringify(message)}`)
      const { ended } = platform.invoke('start-batch', message)
      await time.run(platform.isIdle, maxEvents)
      return resultOf(await ended)
    } catch {
      // Throttled.
      await advanceTime(time, 61_000)
    }
  }
}

/** Advances time. */
export async function advanceTime(time: World['time'], milliseconds: number): Promise<void> {
  const end = time.now + milliseconds
  time.after(milliseconds, () => {})
  await time.run(() => time.now >= end, maxEvents)
}

/** Rounds after which a missing quiet is a violation. */
const maxRounds = 25

/** Reconciles until no work is left. */
export async function reconcileUntilQuiet(world: World, complaints: Complaints): Promise<void> {
  const { time, platform } = world
  for (let round = 0; round < maxRounds; round++) {
    await time.run(platform.isIdle, maxEvents)
    // Leases of dead holders have expired by then.
    await advanceTime(time, 30_000)
    const { resumed, error } = await send(world, { reconcile: true })
    if (error === undefined && (resumed as string[]).length === 0) return
  }
  complaints.found.push(`work is left after ${maxRounds} rounds of reconcile`)
}
