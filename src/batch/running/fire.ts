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
import { isLive, isSettled } from '../state/lease'
import { putEntry } from '../state/open'
import type { Context } from '../state/platform'
import { cancelled, type Fired, fired, newBatch, nextRun, refuseOther } from '../state/transitions'
import { advance } from './advance'
import { dryRun, refuseAboveCost } from './counting'
import { describeModel, modelName } from './model'
import { defaultBatchId, type FireRequest } from './request'
import { retryLater } from './retry-later'

/**
 * Fires a batch: begins it, or another run of one that has ended, or cancels it; and carries it on.
 * @returns the summary as it stands when this activation ends
 * @throws InvalidInputError when the request does not fit the batch of that id, or would cost more than `maxCost`
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
  const dated = datedFrom(asked, context.clock.now())
  if (asked.dryRun) return dryRun(await asOpen(newBatchOf(dated, context), context), context)
  try {
    await begin(dated, context)
  } catch (thrown) {
    await retryLater(thrown, { ...asked, failed }, context)
    throw thrown
  }
  return (await advance({ advance: batch }, context)) ?? starting(batch)
}

/** With the date that an age means at the time of the fire. */
const datedFrom = <T extends BatchRequest>(request: T, now: number): T =>
  request.newerThan === undefined ? request : { ...request, since: dateOf(now - ageOf(request.newerThan)) }

function newBatchOf(request: BatchRequest & { batch: string }, { settings, activation, clock }: Context) {
  const { batch } = request
  const bucket = request.bucket ?? settings.imagesBucket
  if (bucket === settings.resultsBucket) {
    throw new InvalidInputError(
      'bad_parameter',
      `The bucket "${bucket}" holds the results and cannot be the source of a batch`,
    )
  }
  const startedAt = isoOf(clock.now())
  return newBatch({ batch, request, requestId: activation.id, kind: 'fired', bucket, startedAt })
}

/** Writes what is asked for: from then on, any activation can carry it on. */
async function begin(request: BatchRequest & { batch: string }, context: Context): Promise<void> {
  const { batch, cancel, retry, maxCost } = request
  const document = openBatch(context, batch)
  const what: Fired = { request, requestId: context.activation.id }
  const fresh = newBatchOf(request, context)
  const found = await document.read()
  if (!found && (cancel || retry)) throw noSuchBatch(batch)
  if (found && isSettled(found) && isLive(found, document.age())) throw inUse(batch)
  const next = found ? nextOf(found, what) : fresh
  if (next && maxCost !== undefined && !cancel)
    await refuseAboveCost(await asOpen(next, context), maxCost, context)
  await write(document, context, (current) => {
    if (cancel) return current && cancelled(current)
    return current ? fired(current, what) : fresh
  })
}

/** The run that a fire of a batch would begin. */
function nextOf(batch: Batch, what: Fired): NextBatch | undefined {
  if (!what.request.cancel) refuseOther(batch, what.request)
  return isEnded(batch) ? nextRun(batch, what) : undefined
}

/** A batch as it is planned, with the model that answers. */
async function asOpen(batch: NextBatch, context: Context): Promise<OpenBatch> {
  const { request } = batch
  const name = modelName(request, batch.model)
  const model = batch.status === 'open' ? batch.model : await describeModel(context, name)
  return { ...batch, status: 'open', model, revision: 1, writeId: '' } as OpenBatch
}

/** Changes a batch, whose entry is written first: what dies in between is found, and nothing comes of it. */
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

/** The run that was fired last: one that is queued has an entry of its own. */
const lastRun = ({ run, queued }: NextBatch): number => (queued ? run + 1 : run)

const noSuchBatch = (batch: string): InvalidInputError =>
  new InvalidInputError('batch_not_found', `There is no batch "${batch}"`)

function starting(batch: string): never {
  throw new InvalidInputError(
    'batch_in_use',
    `The batch "${batch}" is just being started by another activation`,
    {
      retryable: true,
    },
  )
}
