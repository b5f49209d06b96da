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
 * Plans a batch, fans it out to `classify-images` and advances it until it closes. `advance` is sent by a batch's
 * holder to its successor, and by anything that finds a batch without a holder. `reconcile` finds such batches and
 * scans the watched buckets; `poll` scans one feed's bucket.
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
