import { hintOf, WhisklensError } from '../errors'
import { log, logged } from '../log'
import { currentActivation } from './activation'

type Main = (params: Record<string, unknown>) => Promise<object>

/**
 * An action's parameters without the platform's, which start with `__ow_`: a rule passes on the headers of the request
 * that fired its trigger, and they contain the caller's key.
 */
export const ownParameters = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('__ow_')))

/**
 * Wraps an action's `main`. It receives only its own parameters. Failures become `error` as text, which OpenWhisk's
 * clients show; details of unexpected ones go only to the log. Log lines name the activation and the batch.
 */
export const wrapAction =
  (main: Main): Main =>
  (params) =>
    logged({ activation: currentActivation().id, batch: batchIn(params) }, () =>
      answer(main, ownParameters(params)),
    )

function batchIn({ batch, advance }: Record<string, unknown>): string | undefined {
  const named = batch ?? advance
  return typeof named === 'string' ? named : undefined
}

async function answer(main: Main, params: Record<string, unknown>): Promise<object> {
  try {
    return await main(params)
  } catch (thrown) {
    if (thrown instanceof WhisklensError) {
      log.warn({ code: thrown.code, reason: thrown.message }, 'the action failed')
      return { error: [`${thrown.message} (${thrown.code})`, hintOf(thrown)].filter(Boolean).join('. ') }
    }
    log.error({ err: thrown }, 'the action failed')
    return { error: 'Internal error; see the activation log' }
  }
}
