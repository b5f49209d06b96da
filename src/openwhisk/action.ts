import { WhisklensError } from '../errors'
import { log } from '../log'

type Main = (params: Record<string, unknown>) => Promise<object>

/**
 * An action's `main` whose failures are told as OpenWhisk's clients show them: `error` as text. What nobody foresaw is
 * in the activation's log, and not in its result.
 */
export const answering =
  (main: Main): Main =>
  async (params) => {
    try {
      return await main(params)
    } catch (thrown) {
      if (thrown instanceof WhisklensError) {
        const { code, message, hint } = thrown
        return { error: [`${message} (${code})`, hint].filter(Boolean).join('. ') }
      }
      log.error({ err: thrown }, 'the action failed')
      return { error: 'Something went wrong; the activation log says more' }
    }
  }
