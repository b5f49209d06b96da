import { contextOf } from '../src/batch/context'
import { aggregate, classifiedSchema } from '../src/batch/running/aggregate'
import { settingsFromParams } from '../src/config'
import { wrapAction } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'

/**
 * The second action of `classify-images`: stores the records of `classify`. A message without records, such as the
 * result of an inline image, passes through unchanged.
 */
export const main = wrapAction(async (params) => {
  const classified = classifiedSchema.safeParse(params)
  if (!classified.success)
    return params.results ? { results: params.results } : Promise.reject(classified.error)
  return aggregate(classified.data, contextOf(settingsFromParams(params), currentActivation()))
})
