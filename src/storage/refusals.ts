import * as z from 'zod'
import { msOf } from '../clock'
import type { Pace } from './compare-and-swap'
import { openDocument, readDocument, stampShape } from './document'
import type { Bucket } from './store'

/*
 * What notifications were refused, for `whisklens doctor`: a sender seldom shows what it was answered.
 */

const refusalSchema = z.strictObject({
  /** What was not understood. */
  reason: z.string(),
  /** When it was last refused, ISO 8601. */
  at: z.iso.datetime(),
})
export type Refusal = z.infer<typeof refusalSchema>

const refusalsSchema = z.strictObject({ refusals: z.array(refusalSchema), ...stampShape })

const refusalsKey = 'events/refused.json'

/** So many different ones are kept. */
const maxKept = 10

/** A sender that goes on sending the same is noted so often, milliseconds. */
const notedEvery = 60_000

/** They are kept so long, milliseconds. */
const keptFor = 7 * 24 * 60 * 60 * 1000

/** Notes why a notification, or a part of one, was refused. */
export async function noteRefusal(results: Bucket, reason: string, pace: Pace): Promise<void> {
  const now = pace.clock.now()
  const age = ({ at }: Refusal): number => now - msOf(at)
  await openDocument(results, refusalsKey, refusalsSchema, pace).update((current) => {
    const before = current?.refusals ?? []
    if (before.some((noted) => noted.reason === reason && age(noted) < notedEvery)) return undefined
    const others = before.filter((noted) => noted.reason !== reason && age(noted) < keptFor)
    return { refusals: [{ reason, at: new Date(now).toISOString() }, ...others].slice(0, maxKept) }
  })
}

/** What was refused in the last week, the newest first. */
export async function readRefusals(results: Bucket): Promise<Refusal[]> {
  const kept = (await readDocument(results, refusalsKey, refusalsSchema))?.refusals ?? []
  return kept.filter(({ at }) => Date.now() - msOf(at) < keptFor)
}
