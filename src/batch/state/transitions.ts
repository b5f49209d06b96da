import { InvalidInputError } from '../../errors'
import type { BatchRequest } from '../../schema'
import type { Unstamped } from '../../storage/document'
import {
  type Batch,
  type BatchModel,
  type ClosingBatch,
  type EndedBatch,
  isEnded,
  type NextBatch,
  type OpenBatch,
  type Plan,
  type RequestedBatch,
  type UsageSum,
} from './batch'
import { differences, filtersOf } from './filters'
import { leaseTime } from './lease'

/*
 * All there is of transitions between the states of a batch, but for those of an open one (running/decide.ts). Pure.
 */

/** Nothing is planned yet but the positions of the runs before. */
const planFrom = (base: number): Plan => ({
  base,
  listed: 0,
  skipped: 0,
  planned: base,
  cursor: '',
  done: false,
  swept: false,
})

/** A batch that is fired for the first time, or a new day of uploads. */
export const newBatch = (
  made: Pick<Batch, 'batch' | 'kind' | 'requestId' | 'bucket' | 'startedAt'> & { request: BatchRequest },
): Unstamped<RequestedBatch> => ({
  schema: 'whisklens.batch/1',
  ...made,
  status: 'requested',
  run: 1,
  lease: {
    holder: null,
    epoch: 0,
    beat: 0,
    duration: leaseTime,
    phase: 'yielding',
    expects: false,
    watched: false,
  },
  cancelRequested: false,
  usage: { classifyMs: 0, aggregateMs: 0, containers: [] },
  plan: planFrom(0),
  dispatch: {
    next: 0,
    pieces: [],
    errors: 0,
    before: { reported: 0, errors: 0 },
    window: { size: 32, isKnown: false, pausedUntil: 0, minute: 0, sent: 0, round: { at: 0, done: 0 } },
    throttles: 0,
  },
  busyAt: 0,
  sorted: { upTo: '', position: 0, ok: 0, error: 0, files: [] },
})

/** The model answered: planning and dispatching begin. */
export const opened = (batch: RequestedBatch, model: BatchModel): Unstamped<OpenBatch> => ({
  ...batch,
  status: 'open',
  model,
})

/** Nothing more is to be dispatched: the files of the run are to be written. */
export const closing = (
  batch: Unstamped<RequestedBatch | OpenBatch>,
  outcome: ClosingBatch['outcome'],
  reason?: string,
): Unstamped<ClosingBatch> => ({
  ...batch,
  status: 'closing',
  outcome,
  reason,
  previous: null,
  segments: [],
  finished: false,
  joined: [],
})

/** A change of a batch that is being closed. */
export const whileClosing =
  (change: (batch: ClosingBatch) => NextBatch | undefined) =>
  (batch: Batch): NextBatch | undefined =>
    batch.status === 'closing' ? change(batch) : undefined

/** All files are there. @param usage what all runs so far have used */
export const ended = (batch: ClosingBatch, usage: UsageSum): Unstamped<EndedBatch> => ({
  ...batch,
  usage,
  status: batch.outcome,
  announced: false,
})

/** Images of a batch that have reported, over all runs. */
export const reported = ({ dispatch: { next, pieces } }: Pick<Batch, 'dispatch'>): number =>
  next - pieces.reduce((sum, { start, end }) => sum + end - start, 0)

/** What is fired, and by which it is recognized. */
export interface Fired {
  request: BatchRequest
  requestId: string
}

/**
 * The next run of a batch that has ended: the rest of one that ended early, with the pieces that were under way; else
 * all that has been added or changed since.
 */
export function nextRun(batch: EndedBatch, { request, requestId }: Fired): NextBatch {
  const { status, outcome, reason, previous, segments, finished, joined, announced, ...shared } = batch
  const common = {
    ...shared,
    run: batch.run + 1,
    requestId,
    queued: undefined,
    cancelRequested: false,
    failure: undefined,
  }
  const before = { reported: reported(batch), errors: batch.dispatch.errors }
  if (outcome !== 'complete') {
    const tag = batch.request.tag || request.tag
    const exif = batch.request.exif ?? request.exif
    const asked = { ...batch.request, maxErrors: request.maxErrors, tag, exif }
    // Whatever kept them from reporting may be mended: the next attempt is the first one.
    const pieces = batch.dispatch.pieces.map((piece) => ({ ...piece, attempts: piece.at > 0 ? 0 : 1 }))
    const plan = isHalfRead(batch) ? { ...batch.plan, list: undefined } : batch.plan
    const resumed = { ...common, request: asked, plan, dispatch: { ...batch.dispatch, before, pieces } }
    if (batch.model) return { ...resumed, status: 'open', model: batch.model }
    // The model may be what it was stopped for.
    return { ...resumed, status: 'requested', request: { ...asked, model: request.model ?? asked.model } }
  }
  const { planned } = batch.plan
  return {
    ...common,
    status: 'requested',
    request: request.retry ? retried(batch.request, request) : request,
    plan: { ...planFrom(planned), lastKey: request.retry ? lastKeyOf(batch) : undefined },
    dispatch: { ...batch.dispatch, next: planned, pieces: [], before },
    // What is sorted is in the results of the run before.
    sorted: { ...batch.sorted, files: [] },
  }
}

/** Of a list that changed while it was read, nothing is planned yet: it is read anew. */
const isHalfRead = ({ plan }: EndedBatch): boolean => plan.list !== undefined && !plan.list.sorted

/** A retry goes by what its batch is about. */
const retried = (before: BatchRequest, request: BatchRequest): BatchRequest => ({
  ...request,
  ...filtersOf(before),
  prefix: before.prefix,
  limit: request.limit,
  tag: before.tag || request.tag,
  exif: before.exif ?? request.exif,
})

/** A retry takes no image in the place of those that a limit of the batch left out. */
const lastKeyOf = ({ plan, request }: EndedBatch): string | undefined =>
  plan.lastKey ?? (request.limit === undefined ? undefined : plan.cursor)

/**
 * What firing a batch makes of it.
 * @returns undefined where it changes nothing: it is open already, or this very fire has had its effect
 * @throws InvalidInputError for a fire that is about other images than the batch
 */
export function fired(batch: Batch, { request, requestId }: Fired): NextBatch | undefined {
  if (batch.requestId === requestId || batch.queued?.requestId === requestId) return undefined
  refuseOther(batch, request)
  if (isEnded(batch) && batch.announced) return nextRun(batch, { request, requestId })
  if ('outcome' in batch) return { ...batch, queued: { request, requestId } }
  // The later word counts.
  return batch.cancelRequested ? { ...batch, cancelRequested: false, requestId } : undefined
}

/** Asks the holder to end the batch. */
export const cancelled = (batch: Batch): NextBatch | undefined =>
  batch.cancelRequested || 'outcome' in batch ? undefined : { ...batch, cancelRequested: true }

/** The end was told. Begins the next run where one was fired meanwhile; else the lease is free. */
export function announced(batch: EndedBatch): NextBatch {
  const { queued } = batch
  const told = { ...batch, announced: true }
  return queued ? nextRun(told, queued) : { ...told, lease: { ...batch.lease, holder: null, phase: 'idle' } }
}

/**
 * An id stands for one prefix, and while a batch is open for one selection of images: others under the same id would be
 * left out without a word.
 * @throws InvalidInputError
 */
export function refuseOther(batch: Batch, request: BatchRequest): void {
  const { batch: id, bucket, request: asked } = batch
  const hint = 'Choose another id, or leave it out.'
  const isOther = request.prefix.join('\n') !== asked.prefix.join('\n')
  if (!request.retry && (isOther || (request.bucket ?? bucket) !== bucket)) {
    const about = asked.prefix.map((prefix) => `s3://${bucket}/${prefix}`).join(', ')
    throw new InvalidInputError('batch_differs', `The batch "${id}" is about ${about}`, { hint })
  }
  const isNew = 'outcome' in batch && batch.outcome === 'complete'
  if (isNew && !request.retry) return
  // A retry goes by the batch's own filters; it need not name them, and may do less at a time.
  const others = differences(asked, request).filter((name) => !request.retry || request[name] !== undefined)
  const refused = isNew ? others.filter((name) => name !== 'limit') : others
  if (refused.length === 0) return
  throw new InvalidInputError(
    'batch_differs',
    `The batch "${id}" goes on, and was fired with another ${refused.join(', ')}`,
    {
      hint: 'Give the same filters, retry it, or choose another id.',
    },
  )
}
