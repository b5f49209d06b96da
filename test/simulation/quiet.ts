import type { Complaints } from './invariants'
import { resultOf } from './platform/openwhisk'
import type { World } from './world'

/** More than any run needs that is not caught in a circle. */
export const maxEvents = 100_000

/** Sends a message to `start-batch`, and waits until all is quiet. */
export async function inFull(world: World, message: object, complaints: Complaints): Promise<void> {
  await send(world, message)
  await settle(world, complaints)
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
      await pass(time, 61_000)
    }
  }
}

/** Lets some time pass. */
export async function pass(time: World['time'], milliseconds: number): Promise<void> {
  const end = time.now + milliseconds
  time.after(milliseconds, () => {})
  await time.run(() => time.now >= end, maxEvents)
}

/** More rounds than that without quiet are a violation. */
const maxRounds = 25

/** Reconciles until nothing is left to be carried on. */
export async function settle(world: World, complaints: Complaints): Promise<void> {
  const { time, platform } = world
  for (let round = 0; round < maxRounds; round++) {
    await time.run(platform.isIdle, maxEvents)
    // Of those who died the leases have run out by then.
    await pass(time, 30_000)
    const { resumed, error } = await send(world, { reconcile: true })
    if (error === undefined && (resumed as string[]).length === 0) return
  }
  complaints.found.push(`there is no quiet after ${maxRounds} rounds of reconcile`)
}
