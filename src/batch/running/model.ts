import { messageOf, OpenWhiskError } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { containerDied } from '../../openwhisk/client'
import type { BatchRequest } from '../../schema'
import type { BatchModel } from '../state/batch'
import { type Context, isTransient, retrying } from '../state/platform'

/** The model of a request; a retry keeps the batch's. Undefined for the deployment's default. */
export const modelName = (
  { model, retry }: Pick<BatchRequest, 'model' | 'retry'>,
  before: BatchModel | undefined,
): string | undefined => (retry && before?.model) || model || undefined

type ModelContext = Omit<Context, 'store' | 'results'>

/** Retries after `classify` died: a container's death may be transient. */
const retries = 3

/**
 * Asks `classify` for the version of a model and adds cost data.
 * @throws OpenWhiskError when `classify` does not answer
 */
export async function describeModel(
  context: ModelContext,
  model: string = context.settings.model,
): Promise<BatchModel> {
  const { openwhisk, activation } = context
  const classify = siblingAction(activation, 'classify')
  let died = 0
  const isPassing = (thrown: unknown): boolean =>
    isTransient(thrown) || (containerDied(thrown) && ++died <= retries)
  const describe = () => openwhisk.call(classify, { describe: true, model })
  const described = await retrying(context, describe, { isPassing })
  if (typeof described.model !== 'string') {
    throw new OpenWhiskError(0, 'classify did not report its model version')
  }
  return withCosts(context, { model, modelVersion: described.model })
}

/** Adds the actions' memory and the price. */
export async function withCosts(
  context: ModelContext,
  model: Pick<BatchModel, 'model' | 'modelVersion'>,
): Promise<BatchModel> {
  const memory = await askMemory(context)
  return { ...model, memory, gbSecondPrice: Number(context.settings.gbSecondPrice) }
}

/** Undefined where the platform does not report it: cost data must not fail a batch. */
async function askMemory(context: ModelContext): Promise<BatchModel['memory']> {
  const { openwhisk, activation } = context
  const ask = (action: string) =>
    retrying(context, () => openwhisk.memoryOf(siblingAction(activation, action)))
  try {
    return { classify: await ask('classify'), aggregate: await ask('aggregate') }
  } catch (thrown) {
    log.warn({ reason: messageOf(thrown) }, 'the memory of the actions could not be read')
    return undefined
  }
}
