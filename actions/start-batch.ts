import { reconcile } from '../src/batch/run/orphans'
import { platformOf } from '../src/batch/run/platform'
import { poll } from '../src/batch/run/poll'
import { parseBatchRequest } from '../src/batch/run/request'
import { startBatch } from '../src/batch/run/start'
import { settingsFromParams } from '../src/config'
import { answering } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'

/**
 * Plans a batch, fans it out to `classify-images` and sees it through; `resume` is how it continues itself. With
 * `reconcile`, it has every batch carried on that nobody is in charge of; `poll` is how a feed has its bucket looked
 * through.
 */
export const main = answering(async (params) => {
  const request = parseBatchRequest(params)
  const settings = settingsFromParams(params)
  const activation = currentActivation()
  const platform = platformOf(settings, activation)
  if (request.reconcile) {
    const results = platform.store.bucket(settings.resultsBucket)
    return reconcile(results, platform.openwhisk, activation.actionName)
  }
  if (request.poll !== undefined) return poll(request.poll, settings, activation, platform)
  return startBatch({ ...request, resume: params.resume === true }, settings, activation, platform)
})
