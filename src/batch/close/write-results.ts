import type * as z from 'zod'
import { BatchTakenOverError, messageOf, StorageError, WhisklensError } from '../../errors'
import { log } from '../../log'
import type { Bucket } from '../../storage/store'
import { resultsNames } from '../layout'
import { count, emptyTally, type Tally } from '../summary/summary'
import { type Closing, dropClosing, readClosing, saveClosing } from './checkpoint'
import type { Outcome } from './passes'
import { clearClosing, dropStrayUploads, openResultsFiles, type ResultsFiles } from './results-files'

export interface CloseOptions {
  /**
   * When to leave the rest to another activation, milliseconds since the epoch. Checkpoints are kept for whoever gives
   * it, who has to be the only one at a time: the holder of the lease.
   */
  stopAt?: number
  /** Called now and then, for closing a large batch takes longer than a lease. @returns false to stop at once */
  stillThere?(): Promise<boolean>
  /** Records between two checkpoints. */
  checkpointEvery?: number
  now?(): number
}

/** What the results of a batch are written from. */
export interface Source<Position> {
  batch: string
  /** All that decides what the records are: from a checkpoint of another state nobody goes on. */
  state: string
  /** Where reading goes on, as checkpoints keep it. */
  position: z.ZodType<Position>
  /**
   * @param tally for what is counted beyond the records
   * @param from where an earlier reading stopped
   */
  open(
    tally: Tally,
    from: Position | undefined,
  ): Promise<{
    outcomes(): AsyncIterable<Outcome>
    /** Where to go on after the outcome that came last. */
    position(): Position
  }>
}

/** What was counted, and where the source ended. */
export interface WrittenResults<Position> {
  tally: Tally
  position: Position
}

/** How often a closer says that it is still there, in images. */
const heartbeatEvery = 100

/**
 * Writes `results.jsonl`, `results.csv` and `errors.jsonl`, from the checkpoint on where there is one, and anew where
 * another closer has made an end of what was begun.
 * @returns undefined when time was up: the next call with the same source goes on
 * @throws BatchTakenOverError when `stillThere` says no
 */
export async function writeResults<Position>(
  results: Bucket,
  source: Source<Position>,
  options: CloseOptions,
): Promise<WrittenResults<Position> | undefined> {
  const { batch } = source
  let from = options.stopAt === undefined ? undefined : await readClosing(results, source)
  // The holder of the lease takes a lesser closer's uploads for strays, once for each file.
  for (let left: number = resultsNames.length; ; left--) {
    try {
      return await writeFiles(results, source, options, from)
    } catch (thrown) {
      if (!isOver(thrown, from) || left === 0) throw thrown
      log.warn({ batch, reason: thrown.message }, 'closing begins anew')
      if (from) await dropClosing(results, batch, from)
      from = undefined
    }
  }
}

/** Whether another closer has completed or aborted an upload, or removed a checkpoint. */
const isOver = (thrown: unknown, from: object | undefined): thrown is StorageError =>
  thrown instanceof StorageError &&
  (thrown.code === 'upload_not_found' || (from !== undefined && thrown.code === 'object_not_found'))

async function writeFiles<Position>(
  results: Bucket,
  { batch, state, open }: Source<Position>,
  { stopAt, stillThere, checkpointEvery = 50_000, now = Date.now }: CloseOptions,
  from?: Closing<Position>,
): Promise<WrittenResults<Position> | undefined> {
  const tally = from?.tally ?? emptyTally()
  const files = await openResultsFiles(results, batch, from?.files)
  let saved = from
  let uploads = files.uploads()
  let images = 0
  const heartbeat = async () => {
    if ((await stillThere?.()) === false) throw new BatchTakenOverError(batch)
  }
  try {
    const source = await open(tally, from?.position)
    for await (const { record } of source.outcomes()) {
      if (record) {
        count(tally, record)
        await files.write(record)
      }
      if (++images % heartbeatEvery === 0) await heartbeat()
      if (stopAt === undefined) continue
      const stops = now() >= stopAt
      // While all of it is small, doing it again costs less than keeping it.
      const isDue = stops || images % checkpointEvery === 0 || files.uploads() !== uploads
      if (isDue && files.uploads() > 0) {
        const closing = { state, position: source.position(), tally, files: await files.checkpoint() }
        await saveClosing(results, batch, closing)
        saved = closing
        if (files.uploads() !== uploads) await dropStrayUploads(results, batch, closing.files)
        uploads = files.uploads()
      }
      if (stops) return undefined
    }
    await heartbeat()
    await files.finish()
    if (saved) await clearClosing(results, batch)
    return { tally, position: source.position() }
  } catch (thrown) {
    const mayPass = thrown instanceof WhisklensError && thrown.retryable
    const goesOn = mayPass || thrown instanceof BatchTakenOverError
    await abandon(results, batch, files, saved, goesOn)
    throw thrown
  }
}

/**
 * Leaves no upload behind but those of a checkpoint that somebody is to go on from. What fails here must not hide why.
 */
async function abandon(
  results: Bucket,
  batch: string,
  files: ResultsFiles,
  saved: Closing<unknown> | undefined,
  goesOn: boolean,
): Promise<void> {
  try {
    await files.abort(goesOn ? saved?.files : undefined)
    if (saved && !goesOn) await clearClosing(results, batch)
  } catch (thrown) {
    log.warn({ batch, reason: messageOf(thrown) }, 'what a failed closing has left was not removed')
  }
}
