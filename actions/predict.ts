// First, for it takes as long as everything else.
import '../src/classifier/inference/begin'

import { warnIfOnlyJpeg } from '../src/classifier/decode'
import { loadIsolated } from '../src/classifier/inference/load'
import { settingsFromParams } from '../src/config'
import { errorCodes } from '../src/error-codes'
import { WhisklensError } from '../src/errors'
import { log } from '../src/log'
import { isAuthorized, type WebRequest, type WebResponse } from '../src/openwhisk/web'
import { answer, failure } from '../src/web/max/api'

/**
 * The settings that do not come from the client: where the web action is not raw, its query's fields are parameters, too,
 * and only those that are set for the action go before them. So there all but the token is the container's.
 */
const settingsOf = ({ __ow_query, ...params }: WebRequest) =>
  settingsFromParams(
    __ow_query === undefined
      ? { resultsToken: params.resultsToken ?? process.env.WHISKLENS_RESULTS_TOKEN }
      : params,
  )

/** The MAX prediction API over the configured model. Open to all unless `resultsToken` is set. */
export async function main(request: WebRequest): Promise<WebResponse> {
  try {
    warnIfOnlyJpeg()
    const { model, engine, resultsToken } = settingsOf(request)
    if (resultsToken && !isAuthorized(request, resultsToken)) {
      return failure(401, 'Expected a valid token: send it as "Authorization: Bearer …" or as ?token=…')
    }
    return await answer(request, await loadIsolated(model, engine), process.env.WHISKLENS_MAX_MODEL)
  } catch (thrown) {
    if (thrown instanceof WhisklensError) return failure(errorCodes[thrown.code].status, thrown.message)
    log.error({ err: thrown }, 'prediction failed')
    return failure(500, 'Something went wrong; the activation log says more.')
  }
}
