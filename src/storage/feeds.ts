import * as z from 'zod'
import { putIf } from './put-once'
import type { Bucket, StoredObject } from './store'

/** How long images are left to their notifications unless told otherwise, seconds. */
export const usualSettle = 120

/** How long a deleted registration is remembered, for a deployment that makes its trigger anew; milliseconds. */
const rememberedFor = 7 * 24 * 60 * 60 * 1000

/** A trigger that wants to know of a bucket's new images. */
const registrationSchema = z.strictObject({
  /** `/guest/image-uploaded`. */
  trigger: z.string().regex(/^\/[^/]+\/[^/]+$/),
  bucket: z.string().min(1),
  prefix: z.string().default(''),
  paused: z.boolean().default(false),
  createdAt: z.string(),
  /** Images changed before it are not looked for, ISO 8601; without it, all are. */
  since: z.iso.datetime().optional(),
  /** How often the bucket is compared with the records, minutes; 0 where nobody does. */
  minutes: z.int().nonnegative().default(0),
  /** Younger images are left to their notifications, seconds: a poll would have them classified twice. */
  settle: z.int().nonnegative().default(usualSettle),
})
export type Registration = z.infer<typeof registrationSchema>

/** As it is stored: a deleted one stays for a while, for its `since`. */
const storedSchema = registrationSchema.extend({ deletedAt: z.iso.datetime().optional() })

const folder = 'feeds/'

const keyOf = (trigger: string): string => `${folder}${trigger.slice(1)}.json`

function parse({ body, etag }: StoredObject) {
  const { deletedAt, ...registration } = storedSchema.parse(JSON.parse(body.toString('utf8')))
  const isForgotten = deletedAt !== undefined && Date.now() - Date.parse(deletedAt) > rememberedFor
  return { registration, isDeleted: deletedAt !== undefined, isForgotten, etag }
}

async function find(results: Bucket, trigger: string) {
  const found = await results.find(keyOf(trigger))
  return found && parse(found)
}

/** Kept in the results bucket, the one place that outlives every action. */
export async function readRegistration(results: Bucket, trigger: string): Promise<Registration | undefined> {
  const found = await find(results, trigger)
  return found?.isDeleted ? undefined : found?.registration
}

/** The last registration of a trigger, also where it was deleted a short while ago. */
export async function recallRegistration(
  results: Bucket,
  trigger: string,
): Promise<Registration | undefined> {
  const found = await find(results, trigger)
  return found?.isForgotten ? undefined : found?.registration
}

export async function saveRegistration(results: Bucket, registration: Registration): Promise<void> {
  await results.put(keyOf(registration.trigger), JSON.stringify(registration), {
    contentType: 'application/json',
  })
}

/**
 * Deleting what is not there is no error: feeds must survive orphans.
 * @param seen spares a registration that was made anew after this one
 */
export async function deleteRegistration(
  results: Bucket,
  trigger: string,
  seen?: Registration,
): Promise<void> {
  for (;;) {
    const found = await find(results, trigger)
    if (!found || found.isDeleted) return
    const { registration, etag } = found
    if (seen && seen.createdAt !== registration.createdAt) return
    const deleted = JSON.stringify({ ...registration, deletedAt: new Date().toISOString() })
    if ((await putIf(results, keyOf(trigger), deleted, etag)) !== undefined) return
  }
}

/** Every trigger that watches some bucket. Removes what is left of those that were deleted long ago. */
export async function listRegistrations(results: Bucket): Promise<Registration[]> {
  const registrations: Registration[] = []
  for await (const { key } of results.list({ prefix: folder })) {
    const object = await results.find(key)
    if (!object) continue
    const { registration, isDeleted, isForgotten } = parse(object)
    if (!isDeleted) registrations.push(registration)
    else if (isForgotten) await results.delete(key)
  }
  return registrations
}
