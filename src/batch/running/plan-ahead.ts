import pLimit from 'p-limit'
import type { Planned, Position } from '../planning/planner'
import { writeChunk } from '../records/chunks'
import { readRecord } from '../records/record'
import type { OpenBatch } from '../state/batch'
import { recordKey } from '../state/layout'
import { type Context, unlessRefused } from '../state/platform'

/** Plans concurrently with dispatch. */
export interface Planner {
  /** The latest position before which every chunk is written. @throws the failure of planning */
  position(): Position | undefined
  /** Resolves when the position has advanced since it was read last, or planning has ended. Never rejects. */
  moved(): Promise<void>
  hasFinished(): boolean
  /** Stops planning after the current chunk. */
  stop(): Promise<void>
}

const atOnce = 8

/**
 * Writes chunks as they are planned, and deletes the records of images that are gone. Chunks are named by the batch's
 * revision, which is higher than in any earlier planning, whose unpublished chunks thereby lose.
 * @param source yields the plan; may end early once `isStopped` returns true
 */
export function planAhead(
  batch: OpenBatch,
  context: Context,
  source: (isStopped: () => boolean) => AsyncGenerator<Planned>,
): Planner {
  let latest: Position | undefined
  let lastRead: Position | undefined
  let failure: { thrown: unknown } | undefined
  let finished = false
  let stopped = false
  let wake = (): void => {}

  async function write({ images, gone, position }: Planned): Promise<void> {
    await deleteGone(batch, gone, context)
    if (images.length === 0) return
    const chunk = { start: position.planned - images.length, end: position.planned, epoch: batch.revision }
    await writeChunk(context.results, batch.batch, chunk, images)
  }

  /** Advances the position once everything before it is written. */
  async function advanceAfter(
    before: Promise<void>,
    writing: Promise<void>,
    position: Position,
  ): Promise<void> {
    await Promise.all([before, writing])
    latest = position
    wake()
  }

  async function work(): Promise<void> {
    const inFlight: Promise<void>[] = []
    let last = Promise.resolve()
    for await (const planned of source(() => stopped)) {
      last = advanceAfter(last, write(planned), planned.position)
      // Awaited in order; until then a failure must not count as unhandled.
      last.catch(() => {})
      inFlight.push(last)
      if (inFlight.length >= atOnce) await inFlight.shift()
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
      lastRead = latest
      return latest
    },
    moved: () =>
      new Promise((resolve) => {
        wake = resolve
        if (latest !== lastRead) resolve()
      }),
    hasFinished: () => finished,
    stop: async () => {
      stopped = true
      await working
    },
  }
}

/**
 * Deletes records and thumbnails of images that are gone. HEAD first: an upload may have come between pages of a
 * listing.
 */
async function deleteGone(batch: OpenBatch, keys: string[], { store, results }: Context): Promise<void> {
  const { bucket, model } = batch
  const limit = pLimit(atOnce)
  const drop = async (key: string): Promise<void> => {
    // A source that refuses access proves nothing.
    const found = await unlessRefused(store.bucket(bucket).head(key), 'refused')
    if (found !== undefined) return
    const record = await readRecord(results, model.modelVersion, { bucket, key })
    // First: only the record has the thumbnail's key.
    if (record?.thumbnail) await results.delete(record.thumbnail.key)
    await results.delete(recordKey(model.modelVersion, { bucket, key }))
  }
  await Promise.all(keys.map((key) => limit(drop, key)))
}
