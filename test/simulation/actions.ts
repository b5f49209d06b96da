import { advance } from '../../src/batch/running/advance'
import { aggregate, classifiedSchema } from '../../src/batch/running/aggregate'
import { fire } from '../../src/batch/running/fire'
import { poll, resume } from '../../src/batch/running/reconcile'
import { parseBatchRequest } from '../../src/batch/running/request'
import { maxFailures } from '../../src/batch/running/retry-later'
import type { Context } from '../../src/batch/state/platform'
import { notify } from '../../src/batch/uploads/notify'
import type { Settings } from '../../src/config'
import { WhisklensError } from '../../src/errors'
import type { ImageEvent } from '../../src/storage/events'
import type { Surroundings } from './platform/openwhisk'
import type { ObjectStore } from './store/bucket'

export type ContextOf = (surroundings: Surroundings) => Context

/** What activations in the simulation work with. @param parts openwhisk: the platform as a process sees it */
export function contextsOf(parts: {
  store: ObjectStore
  openwhisk(process: Surroundings['process']): Context['openwhisk']
  webhook?(process: Surroundings['process']): Context['webhook']
  random: Context['random']
  settings: Settings
}): ContextOf {
  const { random, settings } = parts
  return ({ activation, process, clock }) => {
    const store = parts.store.of(process)
    const openwhisk = parts.openwhisk(process)
    const webhook = parts.webhook?.(process)
    const results = store.bucket(settings.resultsBucket)
    return { clock, random, store, openwhisk, webhook, settings, results, activation }
  }
}

/** As `actions/start-batch.ts`, but that reconciling has no bucket looked through: that would hide what was forgotten. */
async function startBatch(params: Record<string, unknown>, context: Context): Promise<object> {
  const request = parseBatchRequest(params)
  if ('advance' in request) return (await advance(request, context)) ?? {}
  if (request.reconcile) return { resumed: await resume(context) }
  if (request.poll !== undefined) return poll(request.poll, context)
  return fire(request, context)
}

/**
 * The code of the actions that runs in the simulation.
 * @param onUnexpected told of what no action is to fail with
 * @param onGivenUp told when the last of a row of failed activations asks for no further one
 */
export function actionsOf(
  contextOf: ContextOf,
  onUnexpected: (thrown: unknown, action: string) => void,
  onGivenUp: () => void,
) {
  const answering =
    (name: string, work: (params: Record<string, unknown>, context: Context) => Promise<object>) =>
    async (params: Record<string, unknown>, surroundings: Surroundings): Promise<object> => {
      try {
        return await work(params, contextOf(surroundings))
      } catch (thrown) {
        if (!(thrown instanceof WhisklensError)) onUnexpected(thrown, name)
        if (params.failed === maxFailures) onGivenUp()
        return {
          error: thrown instanceof WhisklensError ? `${thrown.message} (${thrown.code})` : String(thrown),
        }
      }
    }
  return {
    'start-batch': answering('start-batch', startBatch),
    aggregate: answering('aggregate', (params, context) =>
      aggregate(classifiedSchema.parse(params), context),
    ),
    // As `triggers/bucket-events.ts`, with the message already understood.
    'bucket-events': answering('bucket-events', async (params, context) => ({
      fired: await notify(params.images as ImageEvent[], context),
    })),
  }
}
