import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { isErrorCode } from '../../error-codes'
import { WhisklensError } from '../../errors'
import { type ApiAddress, asOpenWhiskError, clientOf, isStatus } from '../../openwhisk/client'

/** Whisklens actions fail with `message (code). hint`; errors of the platform have no code. */
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

/** A line in the logs of a trigger activation: the outcome of one rule. */
const ruleSchema = z.object({
  success: z.boolean(),
  action: z.string(),
  activationId: z.string().optional(),
  error: z.string().optional(),
})

/** The error in the result of a failed action: `{error: …}`. */
function actionError(action: string, result: unknown): WhisklensError {
  const { message, code, hint } = z.object({ error: errorSchema }).safeParse(result).data?.error ?? {
    message: 'it gave no reason',
  }
  return new WhisklensError(isErrorCode(code) ? code : 'action_failed', `${action} failed: ${message}`, {
    hint,
  })
}

/** OpenWhisk stores an activation some time after it ended; until then this is undefined. */
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
 * Polls for the result of an invoked action, for longer than the 60 seconds of a blocking call.
 * @param patience milliseconds
 * @throws WhisklensError the action's own error, or `activation_pending`
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

/** Polls for an action's error. Never throws: some API keys may not read activations. */
export type Watch = () => Promise<WhisklensError | undefined>

/** Watches an invoked action for failure. */
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
 * Watches the action started by a trigger's rule for failure.
 * @param fired activation id of the trigger
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
