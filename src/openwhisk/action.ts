import { WhisklensError } from '../errors'
import { log } from '../log'

type Main = (params: Record<string, unknown>) => Promise<object>

/**
 * An action's parameters without those of the platform, whose names begin with `__ow_`. A rule passes on the headers of
 * the request that fired its trigger, the caller's key among them.
 */
export const ownParameters = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('__ow_')))

/**
 * An action's `main`, which sees only its own parameters. Its failures are told as OpenWhisk's clients show them: `error`
 * as text. Unexpected ones are in the activation's log, and not in its result.
 */
export const answering =
  (main: Main): Main =>
  async (params) => {
    try {
      return await main(ownParameters(params))
    } catch (thrown) {
      if (thrown instanceof WhisklensError) {
        const { code, message, hint } = thrown
        return { error: [`${message} (${code})`, hint].filter(Boolean).join('. ') }
      }
      log.error({ err: thrown }, 'the action failed')
      return { error: 'Something went wrong; the activation log says more' }
    }
  }
