import { contextOf } from '../src/batch/context'
import { advance } from '../src/batch/running/advance'
import { fire } from '../src/batch/running/fire'
import { poll, reconcile } from '../src/batch/running/reconcile'
import { parseBatchRequest } from '../src/batch/running/request'
import { settingsFromParams } from '../src/config'
import { InvalidInputError } from '../src/errors'
import { wrapAction } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'

/**
 * Plans a batch, fans it out to `classify-images` and sees it through. `advance` is how a batch is carried on, from
 * wherever it stands: by its successor, and by anything that finds it without a lease holder. `reconcile` looks
 * for such batches, and has the watched buckets looked through, as `poll` does for one feed.
 */
export const main = wrapAction(async (params) => {
  const request = parseBatchRequest(params)
  const context = contextOf(settingsFromParams(params), currentActivation())
  if ('advance' in request) return (await advance(request, context)) ?? noSuchBatch(request.advance)
  if (request.reconcile) return reconcile(context)
  if (request.poll !== undefined) return poll(request.poll, context)
  return fire(request, context)
})

function noSuchBatch(batch: string): never {
  throw new InvalidInputError('batch_not_found', `There is no batch "${batch}"`)
}
