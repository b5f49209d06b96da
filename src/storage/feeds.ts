import * as z from 'zod'
import { systemClock } from '../clock'
import { openDocument, stampShape } from './document'
import type { Bucket } from './store'

/** Default of `settle`, seconds. */
export const defaultSettle = 10

/** How long a deleted registration is kept in case a deployment recreates its trigger, milliseconds. */
const keptFor = 7 * 24 * 60 * 60 * 1000

/** A trigger's registration for a bucket's new images. */
export const registrationSchema = z.strictObject({
  trigger: z
    .string()
    .regex(/^\/[^/]+\/[^/]+$/)
    .describe('The trigger, `/namespace/name`.'),
  bucket: z.string().min(1).describe('The watched bucket.'),
  prefix: z.string().default('').describe('Only keys that begin with it.'),
  paused: z.boolean().default(false).describe('Whether the feed is paused.'),
  createdAt: z.string().describe('ISO 8601.'),
  since: z.iso
    .datetime()
    .optional()
    .describe('Polls take images changed at that time or later, ISO 8601; all unless given.'),
  minutes: z.int().nonnegative().default(0).describe('Minutes between polls; 0 for none.'),
  settle: z
    .int()
    .nonnegative()
    .default(defaultSettle)
    .describe('Age from which a poll takes an image, seconds: a younger one would be classified twice.'),
})
export type Registration = z.infer<typeof registrationSchema>

/** The stored form. A deleted registration is kept for a while, for its `since`. */
const storedSchema = registrationSchema.extend({ deletedAt: z.iso.datetime().optional(), ...stampShape })
type Stored = z.infer<typeof storedSchema>

const folder = 'feeds/'

const documentOf = (results: Bucket, key: string) =>
  openDocument(results, key, storedSchema, { clock: systemClock, random: Math.random })

const open = (results: Bucket, trigger: string) => documentOf(results, `${folder}${trigger.slice(1)}.json`)

function registrationOf({ deletedAt, revision, writeId, ...registration }: Stored): Registration {
  return registration
}

const isForgotten = ({ deletedAt }: Stored): boolean =>
  deletedAt !== undefined && Date.now() - Date.parse(deletedAt) > keptFor

/** Reads a registration. They are stored in the results bucket, which outlives every action. */
export async function readRegistration(results: Bucket, trigger: string): Promise<Registration | undefined> {
  const found = await open(results, trigger).read()
  return found && !found.deletedAt ? registrationOf(found) : undefined
}

/** Reads the last registration of a trigger, even if recently deleted. */
export async function recallRegistration(
  results: Bucket,
  trigger: string,
): Promise<Registration | undefined> {
  const found = await open(results, trigger).read()
  return found && !isForgotten(found) ? registrationOf(found) : undefined
}

/** Saves a registration, replacing an earlier one. */
export async function saveRegistration(results: Bucket, registration: Registration): Promise<void> {
  await open(results, registration.trigger).update(() => registration)
}

/**
 * Deletes a registration. A missing one is not an error, so that feeds survive orphans.
 * @param seen spares a registration created after this one
 */
export async function deleteRegistration(
  results: Bucket,
  trigger: string,
  seen?: Registration,
): Promise<void> {
  const deletedAt = new Date().toISOString()
  await open(results, trigger).update((current) => {
    if (!current || current.deletedAt) return undefined
    if (seen && seen.createdAt !== current.createdAt) return undefined
    return { ...current, deletedAt }
  })
}

/** Lists all registrations. Removes those deleted long ago. */
export async function listRegistrations(results: Bucket): Promise<Registration[]> {
  const registrations: Registration[] = []
  for await (const { key } of results.list({ prefix: folder })) {
    const found = await documentOf(results, key).read()
    if (!found) continue
    if (!found.deletedAt) registrations.push(registrationOf(found))
    else if (isForgotten(found)) await results.delete(key)
  }
  return registrations
}
