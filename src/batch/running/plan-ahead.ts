import pLimit from 'p-limit'
import type { Planned, Position } from '../planning/planner'
import { writeChunk } from '../records/chunks'
import { readRecord } from '../records/record'
import type { OpenBatch } from '../state/batch'
import { recordKey } from '../state/layout'
import { type Context, unlessRefused } from '../state/platform'

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

const atOnce = 8

/**
 * Writes chunks as they are planned, and deletes the records of images that are gone. The chunks are named by the revision
 * of the batch, which is higher than that of any planning before: what others wrote behind was never published.
 * @param source what is planned; it may end early once it is to stop
 */
export function planAhead(
  batch: OpenBatch,
  context: Context,
  source: (isStopped: () => boolean) => AsyncGenerator<Planned>,
): Planner {
  let latest: Position | undefined
  let told: Position | undefined
  let failure: { thrown: unknown } | undefined
  let finished = false
  let stopped = false
  let wake = (): void => {}

  async function write({ images, gone, position }: Planned): Promise<void> {
    await forget(batch, gone, context)
    if (images.length === 0) return
    const chunk = { start: position.planned - images.length, end: position.planned, epoch: batch.revision }
    await writeChunk(context.results, batch.batch, chunk, images)
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
    for await (const planned of source(() => stopped)) {
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
      told = latest
      return latest
    },
    moved: () =>
      new Promise((resolve) => {
        wake = resolve
        if (latest !== told) resolve()
      }),
    hasFinished: () => finished,
    stop: async () => {
      stopped = true
      await working
    },
  }
}

/** Deletes the records and thumbnails of images that are gone; an upload can come between the pages of two listings. */
async function forget(batch: OpenBatch, keys: string[], { store, results }: Context): Promise<void> {
  const { bucket, model } = batch
  const limit = pLimit(atOnce)
  const drop = async (key: string): Promise<void> => {
    // Where the source refuses to tell, nothing is deleted.
    const found = await unlessRefused(store.bucket(bucket).head(key), 'refused')
    if (found !== undefined) return
    const record = await readRecord(results, model.modelVersion, { bucket, key })
    // Without its record nothing would tell where it lies.
    if (record?.thumbnail) await results.delete(record.thumbnail.key)
    await results.delete(recordKey(model.modelVersion, { bucket, key }))
  }
  await Promise.all(keys.map((key) => limit(drop, key)))
}
