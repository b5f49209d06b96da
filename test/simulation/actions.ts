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
import type { Environment } from './platform/openwhisk'
import type { ObjectStore } from './store/bucket'

export type ContextOf = (surroundings: Environment) => Context

/** Creates the contexts of simulated activations. @param parts openwhisk: the platform as a process sees it */
export function contextsOf(parts: {
  store: ObjectStore
  openwhisk(process: Environment['process']): Context['openwhisk']
  webhook?(process: Environment['process']): Context['webhook']
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

/** Like `actions/start-batch.ts`, except that reconciling scans no bucket: a scan would hide what was missed. */
async function startBatch(params: Record<string, unknown>, context: Context): Promise<object> {
  const request = parseBatchRequest(params)
  if ('advance' in request) return (await advance(request, context)) ?? {}
  if (request.reconcile) return { resumed: await resume(context) }
  if (request.poll !== undefined) return poll(request.poll, context)
  return fire(request, context)
}

/**
 * The actions' code in the simulation.
 * @param onUnexpected receives errors that no action may fail with
 * @param onGivenUp called when the last of a series of failed activations stops retrying
 */
export function actionsOf(
  contextOf: ContextOf,
  onUnexpected: (thrown: unknown, action: string) => void,
  onGivenUp: () => void,
) {
  const wrapAction =
    (name: string, work: (params: Record<string, unknown>, context: Context) => Promise<object>) =>
    async (params: Record<string, unknown>, surroundings: Environment): Promise<object> => {
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
    'start-batch': wrapAction('start-batch', startBatch),
    aggregate: wrapAction('aggregate', (params, context) =>
      aggregate(classifiedSchema.parse(params), context),
    ),
    // Like `triggers/bucket-events.ts`, with the message already parsed.
    'bucket-events': wrapAction('bucket-events', async (params, context) => ({
      fired: await notify(params.images as ImageEvent[], context),
    })),
  }
}
