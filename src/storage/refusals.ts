import * as z from 'zod'
import { msOf } from '../clock'
import type { Backoff } from './compare-and-swap'
import { openDocument, readDocument, stampShape } from './document'
import type { Bucket } from './store'

/*
 * Refused notifications, for `whisklens doctor`: senders seldom show the response.
 */

const refusalSchema = z.strictObject({
  /** Why it could not be parsed. */
  reason: z.string(),
  /** When it was last refused, ISO 8601. */
  at: z.iso.datetime(),
})
export type Refusal = z.infer<typeof refusalSchema>

const refusalsSchema = z.strictObject({ refusals: z.array(refusalSchema), ...stampShape })

const refusalsKey = 'events/refused.json'

/** Distinct refusals kept. */
const maxKept = 10

/** A repeated refusal is noted at most this often, milliseconds. */
const noteEvery = 60_000

/** How long refusals are kept, milliseconds. */
const keptFor = 7 * 24 * 60 * 60 * 1000

/** Notes why a notification, or part of one, was refused. */
export async function noteRefusal(results: Bucket, reason: string, pace: Backoff): Promise<void> {
  const now = pace.clock.now()
  const age = ({ at }: Refusal): number => now - msOf(at)
  await openDocument(results, refusalsKey, refusalsSchema, pace).update((current) => {
    const before = current?.refusals ?? []
    if (before.some((noted) => noted.reason === reason && age(noted) < noteEvery)) return undefined
    const others = before.filter((noted) => noted.reason !== reason && age(noted) < keptFor)
    return { refusals: [{ reason, at: new Date(now).toISOString() }, ...others].slice(0, maxKept) }
  })
}

/** The refusals of the last week, newest first. */
export async function readRefusals(results: Bucket): Promise<Refusal[]> {
  const kept = (await readDocument(results, refusalsKey, refusalsSchema))?.refusals ?? []
  return kept.filter(({ at }) => Date.now() - msOf(at) < keptFor)
}
