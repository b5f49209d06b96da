import { aggregate, classifiedSchema } from '../src/batch/chunk/aggregate'
import { settingsFromParams } from '../src/config'
import { answering } from '../src/openwhisk/action'
import { currentActivation, siblingAction } from '../src/openwhisk/activation'
import { addressOf, connect } from '../src/openwhisk/client'
import { openStore } from '../src/storage/store'

/**
 * The second action of `classify-images`: keeps what `classify` found. A message without records, such as the answer
 * to a single image, passes through unchanged.
 */
export const main = answering(async (params) => {
  const classified = classifiedSchema.safeParse(params)
  if (!classified.success)
    return params.results ? { results: params.results } : Promise.reject(classified.error)
  const settings = settingsFromParams(params)
  const activation = currentActivation()
  const openwhisk = connect(addressOf(activation, settings))
  const store = openStore(settings)
  return aggregate(classified.data, {
    store,
    results: store.bucket(settings.resultsBucket),
    openwhisk,
    activationId: activation.id,
    sequence: siblingAction(activation, 'classify-images'),
    gbSecondPrice: Number(settings.gbSecondPrice),
    resume: (batch) => openwhisk.invoke(siblingAction(activation, 'start-batch'), { batch, resume: true }),
    reconcile: () => openwhisk.invoke(siblingAction(activation, 'start-batch'), { reconcile: true }),
    onClosed: (summary) => openwhisk.fire('batch-completed', summary),
  })
})
