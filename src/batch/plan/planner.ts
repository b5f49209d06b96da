import type { Bucket } from '../../storage/store'
import { writeChunk } from '../chunk/parts'
import type { Plan } from './plan'
import { planChunks } from './planning'
import { openSweep } from './sweep'

export interface Planner {
  /** @throws what planning failed with */
  check(): void
  /** Resolves when nothing more will be planned; never rejects. */
  finished: Promise<void>
  /** Ends planning at the next chunk. The plan says where it stands then. */
  stop(): Promise<void>
}

/**
 * Plans on its own while others dispatch what is planned: writes chunks, deletes records of images that are gone, and
 * moves the plan on.
 * @param isInCharge whether this activation still is
 */
export function planAhead(
  plan: Plan,
  images: Bucket,
  results: Bucket,
  isInCharge: () => Promise<boolean>,
): Planner {
  let failure: { thrown: unknown } | undefined
  let stopped = plan.done || plan.ended !== undefined
  const work = async (): Promise<void> => {
    const sweep = openSweep(plan, images, results)
    for await (const { images: chunk, gone, position } of planChunks(plan, images, results)) {
      await sweep(gone)
      if (chunk.length > 0) await writeChunk(results, plan.batch, plan.planned, chunk, isInCharge)
      Object.assign(plan, position)
      if (stopped) return
    }
  }
  const finished = stopped
    ? Promise.resolve()
    : work().catch((thrown) => {
        failure = { thrown }
      })
  return {
    finished,
    check: () => {
      if (failure) throw failure.thrown
    },
    stop: async () => {
      stopped = true
      await finished
    },
  }
}
