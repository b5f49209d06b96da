import { z } from 'zod'
import type { Bucket } from './store'

/** How long images are left to their notifications unless told otherwise, seconds. */
export const usualSettle = 120

/** A trigger that wants to know of a bucket's new images. */
export const registrationSchema = z.strictObject({
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

const folder = 'feeds/'

const keyOf = (trigger: string): string => `${folder}${trigger.slice(1)}.json`

/** Kept in the results bucket, the one place that outlives every action. */
export async function readRegistration(results: Bucket, trigger: string): Promise<Registration | undefined> {
  const found = await results.find(keyOf(trigger))
  return found && registrationSchema.parse(JSON.parse(found.body.toString('utf8')))
}

export async function saveRegistration(results: Bucket, registration: Registration): Promise<void> {
  await results.put(keyOf(registration.trigger), JSON.stringify(registration), {
    contentType: 'application/json',
  })
}

/** Deleting what is not there is no error: feeds must survive orphans. */
export const deleteRegistration = (results: Bucket, trigger: string): Promise<void> =>
  results.delete(keyOf(trigger))

/** Every trigger that watches some bucket. */
export async function listRegistrations(results: Bucket): Promise<Registration[]> {
  const registrations: Registration[] = []
  for await (const { key } of results.list({ prefix: folder })) {
    const found = await results.find(key)
    if (found) registrations.push(registrationSchema.parse(JSON.parse(found.body.toString('utf8'))))
  }
  return registrations
}
