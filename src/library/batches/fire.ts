import { randomBytes } from 'node:crypto'
import { defaultBatchId } from '../../batch/running/request'
import { WhisklensError } from '../../errors'
import { connect } from '../../openwhisk/client'
import { type Connection, needOpenWhisk, needStore } from '../connection'
import { type Watch, watchActivation, watchRule } from './activations'
import { type Before, begun, lookBefore } from './follow'

/** A program waits less patiently than actions. */
export const retries = 4

/** What {@link followBatch} has to know of a batch that was fired or cancelled. */
export interface Fired {
  activationId: string
  before: Before
  failure: Watch
}

/** An id for a batch that is fired now. */
export const newBatchId = (): string => defaultBatchId(Date.now(), randomBytes(3).toString('hex'))

/** The bucket with the results. @throws InvalidInputError `not_configured` */
export const resultsOf = (connection: Connection) =>
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
  const before = await lookBefore(resultsOf(connection), request.batch)
  const trigger = `/${connection.namespace}/batch-requested`
  const activationId = await connect(address, retries).fire(trigger, request)
  if (activationId === undefined) {
    throw new WhisklensError('no_active_rule', `${trigger} was fired, but it has no active rule`, {
      hint: 'Enable it: wsk rule enable on-batch-requested. Or deploy again: whisklens deploy.',
    })
  }
  return { activationId, before, failure: watchRule(address, 'start-batch', activationId) }
}

/** Has `start-batch` end a batch, which then has its results written. */
export async function cancelBatch(batch: string, connection: Connection): Promise<Fired> {
  const address = needOpenWhisk(connection)
  const action = `/${connection.namespace}/whisklens/start-batch`
  const activationId = await connect(address).invoke(action, { batch, cancel: true })
  return { activationId, before: begun, failure: watchActivation(address, 'start-batch', activationId) }
}
