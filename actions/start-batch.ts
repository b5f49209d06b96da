import { parseBatchRequest, startBatch } from '../src/batch/start'
import { settingsFromParams } from '../src/config'
import { answering } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'

/** Plans a batch, fans it out to `classify-images` and sees it through; `resume` is how it continues itself. */
export const main = answering(async (params) => {
  const request = parseBatchRequest(params)
  return startBatch(
    { ...request, resume: params.resume === true },
    settingsFromParams(params),
    currentActivation(),
  )
})
