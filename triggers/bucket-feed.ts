import { z } from 'zod'
import { settingsFromParams } from '../src/config'
import { InvalidInputError } from '../src/errors'
import { answering } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'
import {
  deleteRegistration,
  type Registration,
  readRegistration,
  saveRegistration,
} from '../src/storage/feeds'
import { openStore } from '../src/storage/store'

const requestSchema = z.object({
  lifecycleEvent: z.enum(['CREATE', 'READ', 'UPDATE', 'DELETE', 'PAUSE', 'UNPAUSE']),
  triggerName: z.string().regex(/^\/[^/]+\/[^/]+$/, 'expected /namespace/trigger'),
  bucket: z.string().min(1).optional(),
  prefix: z.string().optional(),
})

/**
 * The feed behind `image-uploaded`: registers which trigger watches which bucket; `bucket-events` fires the registered
 * ones. Every event may come twice, and for a trigger that is long gone.
 */
export const main = answering(async (params) => {
  const parsed = requestSchema.safeParse(params)
  if (!parsed.success) throw new InvalidInputError(`Not a feed request: ${z.prettifyError(parsed.error)}`)
  const { lifecycleEvent, triggerName, prefix } = parsed.data
  const settings = settingsFromParams(params)
  const bucket = parsed.data.bucket ?? settings.imagesBucket
  const results = openStore(settings).bucket(settings.resultsBucket)
  // `wsk` writes `_` for the caller's own namespace.
  const trigger = triggerName.replace(/^\/_\//, `/${currentActivation().namespace}/`)
  if (bucket === settings.resultsBucket) {
    throw new InvalidInputError(`The bucket "${bucket}" holds the results: watching it would never end`)
  }

  const existing = async (): Promise<Registration> => {
    const registration = await readRegistration(results, trigger)
    if (registration) return registration
    throw new InvalidInputError(`The trigger ${trigger} watches no bucket`, {
      hint: 'Create it with this feed first.',
    })
  }
  const save = async (registration: Registration) => {
    await saveRegistration(results, registration)
    return { ...registration, polling: false }
  }

  switch (lifecycleEvent) {
    case 'CREATE':
      return save({
        trigger,
        bucket,
        prefix: prefix ?? '',
        paused: false,
        createdAt: new Date().toISOString(),
      })
    case 'READ':
      return existing()
    case 'UPDATE': {
      const before = await existing()
      return save({ ...before, bucket: parsed.data.bucket ?? before.bucket, prefix: prefix ?? before.prefix })
    }
    case 'PAUSE':
      return save({ ...(await existing()), paused: true })
    case 'UNPAUSE':
      return save({ ...(await existing()), paused: false })
    case 'DELETE':
      await deleteRegistration(results, trigger)
      return { trigger, deleted: true }
  }
})
