// First, because it takes as long as everything else.
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
 * The settings, without those a client could set. In a web action that is not raw, query fields are parameters too,
 * overridden only by parameters bound to the action; there all settings but the token come from the container.
 */
const settingsOf = ({ __ow_query, ...params }: WebRequest) =>
  settingsFromParams(
    __ow_query === undefined
      ? { resultsToken: params.resultsToken ?? process.env.WHISKLENS_RESULTS_TOKEN }
      : params,
  )

/** The MAX prediction API of the configured model. Public unless `resultsToken` is set. */
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
    log.error({ err: thrown }, 'the prediction failed')
    return failure(500, 'Internal error; see the activation log.')
  }
}
