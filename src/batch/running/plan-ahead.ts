import pLimit from 'p-limit'
import { StorageError } from '../../errors'
import type { Planned, Position } from '../planning/planner'
import { writeChunk } from '../records/chunks'
import type { OpenBatch } from '../state/batch'
import { recordKey } from '../state/layout'
import type { Context } from '../state/platform'

/** Plans while others dispatch what is planned. */
export interface Planner {
  /** How far it has come: every chunk before is written. @throws what planning failed with */
  position(): Position | undefined
  /** Resolves when there is more than was told last, or nothing more will be planned; never rejects. */
  moved(): Promise<void>
  hasFinished(): boolean
  /** Ends planning at the next chunk. */
  stop(): Promise<void>
}

/** Requests under way at a time. */
const atOnce = 8

/** Writes chunks as they are planned, in the name of an epoch, and deletes the records of images that are gone. */
export function planAhead(
  batch: OpenBatch,
  epoch: number,
  context: Context,
  source: AsyncGenerator<Planned>,
): Planner {
  const { results } = context
  let latest: Position | undefined
  let failure: { thrown: unknown } | undefined
  let finished = false
  let stopped = false
  let wake = (): void => {}
  let moving = Promise.resolve()
  const rest = (): void => {
    moving = new Promise((resolve) => {
      wake = resolve
    })
  }
  rest()

  async function write({ images, gone, position }: Planned): Promise<void> {
    await forget(batch, gone, context)
    if (images.length === 0) return
    const start = position.planned - images.length
    await writeChunk(results, batch.batch, { start, end: position.planned, epoch }, images)
  }

  /** Tells of a position once all before it is written. */
  async function follow(before: Promise<void>, writing: Promise<void>, position: Position): Promise<void> {
    await Promise.all([before, writing])
    latest = position
    wake()
  }

  async function work(): Promise<void> {
    const underWay: Promise<void>[] = []
    let last = Promise.resolve()
    for await (const planned of source) {
      last = follow(last, write(planned), planned.position)
      // Awaited when it is its turn; until then a failure must not count as unhandled.
      last.catch(() => {})
      underWay.push(last)
      if (underWay.length >= atOnce) await underWay.shift()
      if (stopped) break
    }
    await last
  }
  const working = work()
    .catch((thrown) => {
      failure = { thrown }
    })
    .finally(() => {
      finished = true
      wake()
    })

  return {
    position: () => {
      if (failure) throw failure.thrown
      if (!finished) rest()
      return latest
    },
    moved: () => moving,
    hasFinished: () => finished,
    stop: async () => {
      stopped = true
      await working
    },
  }
}

/** Deletes the records of images that are gone; an upload can come between the pages of two listings. */
async function forget(
  { bucket, model }: OpenBatch,
  keys: string[],
  { store, results }: Context,
): Promise<void> {
  const limit = pLimit(atOnce)
  const images = store.bucket(bucket)
  const drop = async (key: string): Promise<void> => {
    if (!(await isThere(key))) await results.delete(recordKey(model.modelVersion, { bucket, key }))
  }
  /** Where the source refuses to tell, nothing is deleted. */
  const isThere = async (key: string): Promise<boolean> => {
    try {
      return (await images.head(key)) !== undefined
    } catch (thrown) {
      if (thrown instanceof StorageError && !thrown.retryable) return true
      throw thrown
    }
  }
  await Promise.all(keys.map((key) => limit(drop, key)))
}
