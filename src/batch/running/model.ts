import { messageOf, OpenWhiskError } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { hasDied } from '../../openwhisk/client'
import type { BatchRequest } from '../../schema'
import type { BatchModel } from '../state/batch'
import { type Context, mayPass, retrying } from '../state/platform'

/** Which model a request asks for; a retry keeps that of its batch. Undefined for that of the deployment. */
export const modelName = (
  { model, retry }: Pick<BatchRequest, 'model' | 'retry'>,
  before: BatchModel | undefined,
): string | undefined => (retry && before?.model) || model || undefined

/** What is needed to ask for a model. */
type ModelContext = Omit<Context, 'store' | 'results'>

/** How often `classify` is asked when it died: containers die of what passes, too. */
const retries = 3

/**
 * The model asked for, the version of it that answers, and what its work is counted with.
 * @throws OpenWhiskError when `classify` does not answer
 */
export async function describeModel(
  context: ModelContext,
  model: string = context.settings.model,
): Promise<BatchModel> {
  const { openwhisk, activation } = context
  const classify = siblingAction(activation, 'classify')
  let died = 0
  const isPassing = (thrown: unknown): boolean => mayPass(thrown) || (hasDied(thrown) && ++died <= retries)
  const ask = () => openwhisk.call(classify, { describe: true, model })
  const described = await retrying(context, ask, { isPassing })
  if (typeof described.model !== 'string') {
    throw new OpenWhiskError(0, 'classify did not say which model it runs')
  }
  return withCosts(context, { model, modelVersion: described.model })
}

/** A model with what its work is counted with. */
export async function withCosts(
  context: ModelContext,
  model: Pick<BatchModel, 'model' | 'modelVersion'>,
): Promise<BatchModel> {
  const memory = await askMemory(context)
  return { ...model, memory, gbSecondPrice: Number(context.settings.gbSecondPrice) }
}

/** Undefined where the platform does not tell: a batch is not to fail over what it costs. */
async function askMemory(context: ModelContext): Promise<BatchModel['memory']> {
  const { openwhisk, activation } = context
  const ask = (action: string) =>
    retrying(context, () => openwhisk.memoryOf(siblingAction(activation, action)))
  try {
    return { classify: await ask('classify'), aggregate: await ask('aggregate') }
  } catch (thrown) {
    log.warn({ reason: messageOf(thrown) }, 'the memory of the actions is not known')
    return undefined
  }
}
