import { dateOf, isoOf } from '../../clock'
import { InvalidInputError } from '../../errors'
import { logged } from '../../log'
import { ageOf, type BatchRequest, type BatchSummary } from '../../schema'
import { inUse } from '../reports/prune'
import {
  type Batch,
  type BatchDocument,
  isEnded,
  type NextBatch,
  type OpenBatch,
  openBatch,
} from '../state/batch'
import { isConcluded, isLive } from '../state/lease'
import { putEntry } from '../state/open'
import type { Context } from '../state/platform'
import { applyFire, type Fired, newBatch, nextRun, refuseOther, requestCancel } from '../state/transitions'
import { advance } from './advance'
import { dryRun, refuseAboveCost } from './counting'
import { describeModel, modelName } from './model'
import { defaultBatchId, type FireRequest } from './request'
import { retryLater } from './retry-later'

/**
 * Fires a batch: begins it, starts another run or cancels it, then advances it.
 * @returns the summary when this activation ends
 * @throws InvalidInputError when the request conflicts with the batch of that id, or would cost more than `maxCost`
 */
export function fire(request: FireRequest, context: Context): Promise<BatchSummary> {
  const batch = request.batch ?? defaultBatchId(context.clock.now(), context.activation.id)
  return logged({ batch }, () => fireAs({ ...request, batch }, context))
}

async function fireAs(
  { failed, ...asked }: FireRequest & { batch: string },
  context: Context,
): Promise<BatchSummary> {
  const { batch } = asked
  const dated = resolveAge(asked, context.clock.now())
  if (asked.dryRun) return dryRun(await openedBatch(newBatchOf(dated, context), context), context)
  try {
    await begin(dated, context)
  } catch (thrown) {
    await retryLater(thrown, { ...asked, failed }, context)
    throw thrown
  }
  return (await advance({ advance: batch }, context)) ?? throwStarting(batch)
}

/** Replaces `newerThan` by a date relative to now. */
const resolveAge = <T extends BatchRequest>(request: T, now: number): T =>
  request.newerThan === undefined ? request : { ...request, since: dateOf(now - ageOf(request.newerThan)) }

function newBatchOf(request: BatchRequest & { batch: string }, { settings, activation, clock }: Context) {
  const { batch } = request
  const bucket = request.bucket ?? settings.imagesBucket
  if (bucket === settings.resultsBucket) {
    throw new InvalidInputError(
      'bad_parameter',
      `The bucket "${bucket}" is the results bucket and cannot be the source of a batch`,
    )
  }
  const startedAt = isoOf(clock.now())
  return newBatch({ batch, request, requestId: activation.id, kind: 'fired', bucket, startedAt })
}

/** Stores the request. From then on any activation can advance the batch. */
async function begin(request: BatchRequest & { batch: string }, context: Context): Promise<void> {
  const { batch, cancel, retry, maxCost } = request
  const document = openBatch(context, batch)
  const what: Fired = { request, requestId: context.activation.id }
  const fresh = newBatchOf(request, context)
  const found = await document.read()
  if (!found && (cancel || retry)) throw noSuchBatch(batch)
  if (found && isConcluded(found) && isLive(found, document.age())) throw inUse(batch)
  const next = found ? nextOf(found, what) : fresh
  if (next && maxCost !== undefined && !cancel)
    await refuseAboveCost(await openedBatch(next, context), maxCost, context)
  await write(document, context, (current) => {
    if (cancel) return current && requestCancel(current)
    return current ? applyFire(current, what) : fresh
  })
}

/** The run that a fire would begin. */
function nextOf(batch: Batch, what: Fired): NextBatch | undefined {
  if (!what.request.cancel) refuseOther(batch, what.request)
  return isEnded(batch) ? nextRun(batch, what) : undefined
}

/** The batch as planning needs it, with its model. */
async function openedBatch(batch: NextBatch, context: Context): Promise<OpenBatch> {
  const { request } = batch
  const name = modelName(request, batch.model)
  const model = batch.status === 'open' ? batch.model : await describeModel(context, name)
  return { ...batch, status: 'open', model, revision: 1, writeId: '' } as OpenBatch
}

/**
 * Updates a batch. The index entry is written first: if this activation dies in between, reconciling finds a harmless
 * entry.
 */
async function write(
  document: BatchDocument,
  { results }: Context,
  change: (batch: Batch | undefined) => NextBatch | undefined,
): Promise<void> {
  const next = change(document.value())
  if (!next) return
  await putEntry(results, next.batch, lastRun(next))
  const written = await document.update(change)
  if (written && lastRun(written) !== lastRun(next)) await putEntry(results, next.batch, lastRun(written))
}

/** The newest run, queued ones included: each has an index entry. */
const lastRun = ({ run, queued }: NextBatch): number => (queued ? run + 1 : run)

const noSuchBatch = (batch: string): InvalidInputError =>
  new InvalidInputError('batch_not_found', `There is no batch "${batch}"`)

function throwStarting(batch: string): never {
  throw new InvalidInputError('batch_in_use', `The batch "${batch}" is being started by another activation`, {
    retryable: true,
  })
}
