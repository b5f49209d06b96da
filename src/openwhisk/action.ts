import { hintOf, WhisklensError } from '../errors'
import { log } from '../log'

type Main = (params: Record<string, unknown>) => Promise<object>

/**
 * An action's parameters without the platform's, whose names begin with `__ow_`: a rule passes on the headers of the
 * request that fired its trigger, which include the caller's key.
 */
export const ownParameters = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('__ow_')))

/**
 * Wraps an action's `main`, which then sees only its own parameters. Failures become `error` as text, the form that
 * OpenWhisk's clients show. Unexpected ones go to the activation's log, not into its result.
 */
export const answering =
  (main: Main): Main =>
  async (params) => {
    try {
      return await main(ownParameters(params))
    } catch (thrown) {
      if (thrown instanceof WhisklensError) {
        return { error: [`${thrown.message} (${thrown.code})`, hintOf(thrown)].filter(Boolean).join('. ') }
      }
      log.error({ err: thrown }, 'the action failed')
      return { error: 'Something went wrong; the activation log says more' }
    }
  }
