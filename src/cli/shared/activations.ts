import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { isErrorCode } from '../../error-codes'
import { WhisklensError } from '../../errors'
import { type ApiAddress, asOpenWhiskError, clientOf, isStatus } from '../../openwhisk/client'

/** An error of ours leaves an action as `message (code). hint`; the platform's own have no code. */
function parseError(text: string): { message: string; code?: string; hint?: string } {
  const [, message, code, hint] = /^(.*) \(([a-z_]+)\)(?:\. (.*))?$/s.exec(text) ?? []
  return message !== undefined && isErrorCode(code) ? { message, code, hint } : { message: text }
}

const errorSchema = z.union([
  z.string().transform(parseError),
  z.object({ message: z.string(), code: z.string().optional(), hint: z.string().optional() }),
])

const activationSchema = z.object({
  logs: z.array(z.string()).default([]),
  response: z.object({ success: z.boolean(), result: z.unknown() }).optional(),
})
type Activation = z.infer<typeof activationSchema>

/** A line of a trigger activation's logs: what became of one of its rules. */
const ruleSchema = z.object({
  success: z.boolean(),
  action: z.string(),
  activationId: z.string().optional(),
  error: z.string().optional(),
})

/** What an action failed with, from its result: `{error: …}`. */
function actionError(action: string, result: unknown): WhisklensError {
  const { message, code, hint } = z.object({ error: errorSchema }).safeParse(result).data?.error ?? {
    message: 'it gave no reason',
  }
  return new WhisklensError(isErrorCode(code) ? code : 'action_failed', `${action} failed: ${message}`, {
    hint,
  })
}

/** Activations are written a while after they have ended; until then there is none. */
async function findActivation(address: ApiAddress, name: string): Promise<Activation | undefined> {
  try {
    const found = await clientOf(address).activations.get({ name })
    return activationSchema.parse(found)
  } catch (thrown) {
    if (isStatus(404)(thrown)) return undefined
    throw asOpenWhiskError(`read activation ${name}`, thrown)
  }
}

/**
 * Waits for an action that was invoked, beyond the minute after which a blocking call gives up.
 * @param patience milliseconds
 * @throws WhisklensError what the action failed with, or `activation_pending`
 */
export async function resultOf(
  address: ApiAddress,
  action: string,
  activationId: string,
  patience = 330_000,
): Promise<unknown> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(250)) {
    const response = (await findActivation(address, activationId))?.response
    if (response?.success) return response.result
    if (response) throw actionError(action, response.result)
  }
  throw new WhisklensError('activation_pending', `${action} has not answered for ${patience / 1000} s`, {
    hint: `Try later: wsk activation get ${activationId}.`,
  })
}

function outcomeOf(logs: string[], action: string): z.infer<typeof ruleSchema> | undefined {
  for (const line of logs.filter((text) => text.startsWith('{'))) {
    const { data } = ruleSchema.safeParse(JSON.parse(line))
    if (data?.action.endsWith(`/${action}`)) return data
  }
  return undefined
}

/** Tells an action's error once it has failed. It never throws: not every key may read activations. */
export type Watch = () => Promise<WhisklensError | undefined>

/** Watches over an action that was invoked. */
export function watchActivation(address: ApiAddress, action: string, activationId: string): Watch {
  let hasEnded = false
  async function failure(): Promise<WhisklensError | undefined> {
    const response = (await findActivation(address, activationId))?.response
    hasEnded = response !== undefined
    return !response || response.success ? undefined : actionError(action, response.result)
  }
  return async () => (hasEnded ? undefined : failure().catch(() => undefined))
}

/**
 * Watches over the action that a trigger's rule starts.
 * @param fired the trigger's activation
 */
export function watchRule(address: ApiAddress, action: string, fired: string): Watch {
  let watch: Watch | undefined
  async function failure(): Promise<WhisklensError | undefined> {
    const outcome = outcomeOf((await findActivation(address, fired))?.logs ?? [], action)
    if (outcome?.success === false) return actionError(action, { error: outcome.error })
    if (!outcome?.activationId) return undefined
    watch = watchActivation(address, action, outcome.activationId)
    return watch()
  }
  return async () => (watch ? watch() : failure().catch(() => undefined))
}
