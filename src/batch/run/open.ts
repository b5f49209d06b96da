import * as z from 'zod'
import { type BatchRequest, batchRequestSchema } from '../../schema'
import type { Bucket } from '../../storage/store'
import { openKey, openPrefix } from '../layout'
import { type Plan, rounds } from '../plan/plan'

/*
 * A marker for each batch that is open, or closed with nobody told of it yet: what has to be carried on is found at a
 * cost in proportion to it, however many batches there were.
 */

/** What a batch was fired with: all that a plan is made from. */
export type AskedFor = BatchRequest & {
  /** The trigger of the feed whose poll starts the batch. */
  feed?: string
}

/** What the marker of a batch says that was just fired: until the plan is of that round, it is still to be begun. */
const askedSchema = z.object({
  request: batchRequestSchema.extend({ feed: z.string().optional() }),
  round: z.int(),
})

const putMarker = (results: Bucket, batch: string, content: object): Promise<string> =>
  results.put(openKey(batch), JSON.stringify(content), { contentType: 'application/json' })

/** Marks a batch as open; once is as good as often. */
export async function markOpen(results: Bucket, batch: string): Promise<void> {
  if (!(await isMarked(results, batch))) await putMarker(results, batch, {})
}

/** Marks a batch as open before anything else of a round is written, and keeps what is to be done in it. */
export async function markBegun(
  results: Bucket,
  batch: string,
  request: AskedFor,
  before?: Plan,
): Promise<void> {
  await putMarker(results, batch, { request, round: rounds(before) + 1 })
}

/** What a batch was fired with whose activation died before there was a plan of it. */
export async function findUnplanned(
  results: Bucket,
  batch: string,
  plan?: Plan,
): Promise<AskedFor | undefined> {
  const found = await results.find(openKey(batch))
  const { data } = askedSchema.safeParse(found && JSON.parse(found.body.toString('utf8')))
  return data && data.round > rounds(plan) ? data.request : undefined
}

/** Takes the marker away, once a batch is closed and its end was told. */
export const markClosed = (results: Bucket, batch: string): Promise<void> => results.delete(openKey(batch))

export const isMarked = async (results: Bucket, batch: string): Promise<boolean> =>
  (await results.head(openKey(batch))) !== undefined

/** The ids of all batches that are marked as open, the uploads of days among them. */
export async function* listOpen(results: Bucket): AsyncGenerator<string> {
  for await (const { key } of results.list({ prefix: openPrefix })) yield key.slice(openPrefix.length)
}
