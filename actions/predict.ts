import { loadModel } from '../src/classifier/load'
import { settingsFromParams } from '../src/config'
import { WhisklensError } from '../src/errors'
import { log } from '../src/log'
import { isAuthorized, type WebRequest, type WebResponse } from '../src/openwhisk/web'
import { answer, failure } from '../src/web/max-api'

/** The MAX prediction API over the configured model. Open to all unless `resultsToken` is set. */
export async function main(request: WebRequest): Promise<WebResponse> {
  try {
    const settings = settingsFromParams(request)
    if (settings.resultsToken && !isAuthorized(request, settings.resultsToken)) {
      return failure(401, 'Expected a valid token: send it as "Authorization: Bearer …" or as ?token=…')
    }
    return await answer(request, await loadModel(settings.model, settings.engine))
  } catch (thrown) {
    if (thrown instanceof WhisklensError) return failure(500, thrown.message)
    log.error({ err: thrown }, 'prediction failed')
    return failure(500, 'Something went wrong; the activation log says more.')
  }
}
