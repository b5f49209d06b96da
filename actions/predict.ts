import { loadModel } from '../src/classifier/load'
import { settingsFromParams } from '../src/config'
import {
  errorResponse,
  isAuthorized,
  unauthorized,
  type WebRequest,
  type WebResponse,
} from '../src/openwhisk/web'
import { answer } from '../src/web/max-api'

/** The MAX prediction API over the configured model. Open to all unless `resultsToken` is set. */
export async function main(request: WebRequest): Promise<WebResponse> {
  try {
    const settings = settingsFromParams(request)
    if (settings.resultsToken && !isAuthorized(request, settings.resultsToken)) return unauthorized()
    return await answer(request, await loadModel(settings.model, settings.engine))
  } catch (thrown) {
    return errorResponse(thrown)
  }
}
