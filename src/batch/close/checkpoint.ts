import * as z from 'zod'
import { log } from '../../log'
import type { Bucket } from '../../storage/store'
import { closingKey } from '../layout'
import type { Tally } from '../summary/summary'
import { clearClosing, dropResultsFiles, type FilesState, filesStateSchema } from './results-files'

/** `closing.json`: how far the closing of a batch has come, for another activation to go on from. */
export interface Closing<Position> {
  /** What was to be closed: a batch in any other state is closed from its beginning. */
  state: string
  /** Where the reading of its records was left. */
  position: Position
  tally: Tally
  files: FilesState
}

/** The checkpoint from which a closing goes on. One of another state of the batch is removed. */
export async function readClosing<Position>(
  results: Bucket,
  { batch, state, position }: { batch: string; state: string; position: z.ZodType<Position> },
): Promise<Closing<Position> | undefined> {
  const found = await results.find(closingKey(batch))
  if (!found) return undefined
  const schema = z.object({
    state: z.string(),
    position,
    tally: z.custom<Tally>(),
    files: filesStateSchema,
  })
  const { data } = schema.safeParse(JSON.parse(found.body.toString('utf8')))
  if (data?.state === state) return data
  log.info({ batch }, 'closing begins anew: the batch has changed')
  await dropClosing(results, batch, data)
  return undefined
}

export async function saveClosing(results: Bucket, batch: string, closing: Closing<unknown>): Promise<void> {
  await results.put(closingKey(batch), JSON.stringify(closing), { contentType: 'application/json' })
}

/** Removes a checkpoint and all that it speaks of. */
export async function dropClosing(
  results: Bucket,
  batch: string,
  closing: Pick<Closing<unknown>, 'files'> | undefined,
): Promise<void> {
  if (closing) await dropResultsFiles(results, batch, closing.files)
  await clearClosing(results, batch)
}
