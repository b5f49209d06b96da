import pRetry from 'p-retry'
import type { Settings } from '../../config'
import { messageOf, OpenWhiskError } from '../../errors'
import { log } from '../../log'
import { type Activation, siblingAction } from '../../openwhisk/activation'
import { hasDied, type OpenWhisk } from '../../openwhisk/client'
import type { Plan, PlanModel } from '../plan/plan'

/** How `classify` is asked again when it died: containers die of what passes, too. Milliseconds. */
const patience = { retries: 3, minTimeout: 500, maxRetryTime: 60_000 }

/**
 * The model asked for, the version of it that answers, and what its work is counted with.
 * @throws OpenWhiskError when `classify` does not answer
 */
export async function describeModel(
  openwhisk: OpenWhisk,
  activation: Activation,
  { gbSecondPrice }: Settings,
  model: string,
): Promise<PlanModel> {
  const classify = siblingAction(activation, 'classify')
  const described = await pRetry(() => openwhisk.call(classify, { describe: true, model }), {
    ...patience,
    shouldRetry: ({ error }) => hasDied(error),
  })
  if (typeof described.model !== 'string') {
    throw new OpenWhiskError(0, 'classify did not say which model it runs')
  }
  const memory = await askMemory(openwhisk, activation)
  return { model, modelVersion: described.model, memory, gbSecondPrice: Number(gbSecondPrice) }
}

/** Undefined where the platform does not tell: a batch is not to fail over what it costs. */
async function askMemory(openwhisk: OpenWhisk, activation: Activation): Promise<Plan['memory']> {
  const ask = (action: string) => openwhisk.memoryOf(siblingAction(activation, action))
  try {
    return { classify: await ask('classify'), aggregate: await ask('aggregate') }
  } catch (thrown) {
    log.warn({ reason: messageOf(thrown) }, 'the memory of the actions is not known')
    return undefined
  }
}
