import * as z from 'zod'
import { settingsFromParams } from '../src/config'
import { InvalidInputError } from '../src/errors'
import { wrapAction } from '../src/openwhisk/action'
import { currentActivation, siblingAction } from '../src/openwhisk/activation'
import { addressOf } from '../src/openwhisk/client'
import { schedule, unschedule } from '../src/openwhisk/schedule'
import {
  defaultSettle,
  deleteRegistration,
  type Registration,
  readRegistration,
  recallRegistration,
  saveRegistration,
} from '../src/storage/feeds'
import { openStore } from '../src/storage/store'

/** Default interval between polls, minutes: how long images wait when notifications fail. */
const defaultMinutes = 10

/** Tolerance for a slow clock of the store, and for its times in whole seconds. Milliseconds. */
const clockTolerance = 60_000

/** The parameters of a feed; others, such as `authKey`, are ignored. */
export const requestSchema = z.object({
  lifecycleEvent: z
    .enum(['CREATE', 'READ', 'UPDATE', 'DELETE', 'PAUSE', 'UNPAUSE'])
    .describe('What to do. `wsk trigger create`, `get`, `update` and `delete` set it.'),
  triggerName: z
    .string()
    .regex(/^\/[^/]+\/[^/]+$/, 'expected /namespace/trigger')
    .describe('The trigger, `/namespace/name`. `wsk trigger` sets it.'),
  bucket: z.string().min(1).optional().describe('Bucket to watch. `WHISKLENS_IMAGES_BUCKET` unless given.'),
  prefix: z.string().optional().describe('Only keys that begin with it. All keys unless given.'),
  minutes: z.coerce
    .number()
    .int()
    .min(0)
    .max(1440)
    .optional()
    .describe('Minutes between polls of the bucket, up to 1440; 0 for none.')
    .meta({ typeName: 'whole number', defaultText: `\`${defaultMinutes}\`` }),
  settle: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe('Age from which a poll takes an image, seconds: younger ones are left to their notifications.')
    .meta({ typeName: 'whole number', defaultText: `\`${defaultSettle}\`` }),
  backlog: z
    .union([z.boolean(), z.enum(['true', 'false'])])
    .transform(String)
    .optional()
    .describe('Whether the first poll classifies what is in the bucket already.')
    .meta({ typeName: 'boolean', defaultText: '`false`' }),
  since: z
    .union([z.string(), z.number()])
    .transform(String)
    .pipe(z.coerce.date())
    .optional()
    .describe(
      'Polls take images changed at that time or later, ISO 8601; overrides `backlog`. Now unless given.',
    )
    .meta({ typeName: 'date' }),
})

/**
 * When polls start to consider images: as requested, or as before, since images may be uploaded between two
 * deployments.
 */
function sinceOf(
  { since, backlog }: z.infer<typeof requestSchema>,
  { bucket, prefix }: Pick<Registration, 'bucket' | 'prefix'>,
  before: Registration | undefined,
): string | undefined {
  if (since) return since.toISOString()
  if (backlog === 'true') return undefined
  const isWatched = before?.bucket === bucket && prefix.startsWith(before.prefix)
  return isWatched && backlog === undefined
    ? before.since
    : new Date(Date.now() - clockTolerance).toISOString()
}

/**
 * The feed of `image-uploaded`: registers which trigger watches which bucket; `bucket-events` fires registered
 * triggers. If the platform has alarms the bucket is also polled for missed uploads; `polling` tells. Events may be
 * repeated, or name a trigger that no longer exists.
 */
export const main = wrapAction(async (params) => {
  const parsed = requestSchema.safeParse(params)
  if (!parsed.success)
    throw new InvalidInputError('bad_parameter', `Not a feed request: ${z.prettifyError(parsed.error)}`)
  const { lifecycleEvent, triggerName, prefix, minutes, settle } = parsed.data
  const settings = settingsFromParams(params)
  const bucket = parsed.data.bucket ?? settings.imagesBucket
  const results = openStore(settings).bucket(settings.resultsBucket)
  const activation = currentActivation()
  // `wsk` writes `_` for the caller's namespace.
  const trigger = triggerName.replace(/^\/_\//, `/${activation.namespace}/`)
  if (bucket === settings.resultsBucket) {
    throw new InvalidInputError(
      'bad_parameter',
      `The bucket "${bucket}" is the results bucket and cannot be watched`,
    )
  }
  if (lifecycleEvent !== 'DELETE' && !trigger.startsWith(`/${activation.namespace}/`)) {
    throw new InvalidInputError(
      'bad_parameter',
      `The trigger ${trigger} belongs to another namespace and could not be fired`,
    )
  }

  const existing = async (): Promise<Registration> => {
    const registration = await readRegistration(results, trigger)
    if (registration) return registration
    throw new InvalidInputError('feed_not_found', `The trigger ${trigger} watches no bucket`, {
      hint: 'Create it with this feed first.',
    })
  }
  const answer = (registration: Registration) => ({ ...registration, polling: registration.minutes > 0 })
  const save = async (registration: Registration) => {
    await saveRegistration(results, registration)
    return answer(registration)
  }
  /** @returns the new interval between polls */
  const poll = async (every: number): Promise<number> => {
    const address = addressOf(activation, settings)
    if (every === 0) {
      await unschedule(address, trigger)
      return 0
    }
    const action = siblingAction(activation, 'start-batch')
    return (await schedule(address, { trigger, action, minutes: every, payload: { poll: trigger } }))
      ? every
      : 0
  }

  switch (lifecycleEvent) {
    case 'CREATE': {
      const watched = { bucket, prefix: prefix ?? '' }
      const registration = {
        trigger,
        ...watched,
        paused: false,
        createdAt: new Date().toISOString(),
        since: sinceOf(parsed.data, watched, await recallRegistration(results, trigger)),
        minutes: 0,
        settle: settle ?? defaultSettle,
      }
      // Saved before polling starts: a poll without a registration unschedules itself.
      await save(registration)
      return save({ ...registration, minutes: await poll(minutes ?? defaultMinutes) })
    }
    case 'READ':
      return answer(await existing())
    case 'UPDATE': {
      const before = await existing()
      return save({
        ...before,
        bucket: parsed.data.bucket ?? before.bucket,
        prefix: prefix ?? before.prefix,
        since: sinceOf(parsed.data, before, before),
        settle: settle ?? before.settle,
        minutes: minutes === undefined ? before.minutes : await poll(minutes),
      })
    }
    case 'PAUSE':
      return save({ ...(await existing()), paused: true })
    case 'UNPAUSE':
      return save({ ...(await existing()), paused: false })
    case 'DELETE':
      await deleteRegistration(results, trigger)
      await unschedule(addressOf(activation, settings), trigger)
      return { trigger, deleted: true }
  }
})
