import { randomBytes } from 'node:crypto'
import { defaultBatchId } from '../../batch/running/request'
import { WhisklensError } from '../../errors'
import { connect } from '../../openwhisk/client'
import { type Connection, needOpenWhisk, needStore } from '../connection'
import { type Watch, watchActivation, watchRule } from './activations'
import { alreadyStarted, type PriorRun, readPriorRun } from './follow'

/** An interactive program gives up earlier than an action does. */
export const retries = 4

/** What {@link followBatch} needs to know about a batch that was fired or cancelled. */
export interface Fired {
  activationId: string
  before: PriorRun
  failure: Watch
}

/** An id for a new batch, from the current time. */
export const newBatchId = (): string => defaultBatchId(Date.now(), randomBytes(3).toString('hex'))

/** The results bucket. @throws InvalidInputError `not_configured` */
export const resultsBucketOf = (connection: Connection) =>
  needStore(connection).bucket(connection.settings.resultsBucket)

/**
 * Fires `batch-requested`.
 * @throws WhisklensError `no_active_rule`
 */
export async function fireBatch(
  request: { batch: string } & Record<string, unknown>,
  connection: Connection,
): Promise<Fired> {
  const address = needOpenWhisk(connection)
  const before = await readPriorRun(resultsBucketOf(connection), request.batch)
  const trigger = `/${connection.namespace}/batch-requested`
  const activationId = await connect(address, retries).fire(trigger, request)
  if (activationId === undefined) {
    throw new WhisklensError('no_active_rule', `${trigger} was fired, but it has no active rule`, {
      hint: 'Enable it: wsk rule enable on-batch-requested. Or deploy again: whisklens deploy.',
    })
  }
  return { activationId, before, failure: watchRule(address, 'start-batch', activationId) }
}

/** Invokes `start-batch` to cancel a batch; the results so far are written. */
export async function cancelBatch(batch: string, connection: Connection): Promise<Fired> {
  const address = needOpenWhisk(connection)
  const action = `/${connection.namespace}/whisklens/start-batch`
  const activationId = await connect(address).invoke(action, { batch, cancel: true })
  return {
    activationId,
    before: alreadyStarted,
    failure: watchActivation(address, 'start-batch', activationId),
  }
}
