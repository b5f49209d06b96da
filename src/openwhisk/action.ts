import { hintOf, WhisklensError } from '../errors'
import { log, logged } from '../log'
import { currentActivation } from './activation'

type Main = (params: Record<string, unknown>) => Promise<object>

/**
 * An action's parameters without the platform's, whose names begin with `__ow_`: a rule passes on the headers of the
 * request that fired its trigger, which include the caller's key.
 */
export const ownParameters = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('__ow_')))

/**
 * Wraps an action's `main`, which then sees only its own parameters. Failures become `error` as text, the form that
 * OpenWhisk's clients show. Unexpected ones go to the activation's log, not into its result. Each line of that names the
 * activation, and the batch that the message names.
 */
export const answering =
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
    return { error: 'Something went wrong; the activation log says more' }
  }
}
