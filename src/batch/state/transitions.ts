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
 * Transitions between the states of a batch, except within an open one (running/decide.ts). Pure.
 */

/** The plan of a run that starts at a position. */
const planFrom = (base: number): Plan => ({
  base,
  listed: 0,
  skipped: 0,
  planned: base,
  cursor: '',
  done: false,
  swept: false,
})

/** A batch fired for the first time, or a new day of uploads. */
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

/** Opens a batch once its model is known. */
export const opened = (batch: RequestedBatch, model: BatchModel): Unstamped<OpenBatch> => ({
  ...batch,
  status: 'open',
  model,
})

/** Begins to close a batch. Nothing more is dispatched. */
export const beginClosing = (
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

/** Restricts a change to a closing batch. */
export const whileClosing =
  (change: (batch: ClosingBatch) => NextBatch | undefined) =>
  (batch: Batch): NextBatch | undefined =>
    batch.status === 'closing' ? change(batch) : undefined

/** Ends a batch whose files are written. @param usage of all runs so far */
export const ended = (batch: ClosingBatch, usage: UsageSum): Unstamped<EndedBatch> => ({
  ...batch,
  usage,
  status: batch.outcome,
  announced: false,
})

/** Positions that have reported, over all runs. */
export const reported = ({ dispatch: { next, pieces } }: Pick<Batch, 'dispatch'>): number =>
  next - pieces.reduce((sum, { start, end }) => sum + end - start, 0)

/** A fire and its id. */
export interface Fired {
  request: BatchRequest
  requestId: string
}

/**
 * The next run of an ended batch. After an early end it does the rest, pieces in flight included; otherwise whatever
 * was added or changed since.
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
    // The cause may be repaired: attempts start over.
    const pieces = batch.dispatch.pieces.map((piece) => ({ ...piece, attempts: piece.at > 0 ? 0 : 1 }))
    const plan = isPartlyRead(batch) ? { ...batch.plan, list: undefined } : batch.plan
    const resumed = { ...common, request: asked, plan, dispatch: { ...batch.dispatch, before, pieces } }
    if (batch.model) return { ...resumed, status: 'open', model: batch.model }
    // The model may be what stopped the batch.
    return { ...resumed, status: 'requested', request: { ...asked, model: request.model ?? asked.model } }
  }
  const { planned } = batch.plan
  return {
    ...common,
    status: 'requested',
    request: request.retry ? retryRequest(batch.request, request) : request,
    plan: { ...planFrom(planned), lastKey: request.retry ? lastKeyOf(batch) : undefined },
    dispatch: { ...batch.dispatch, next: planned, pieces: [], before },
    // The previous results contain what was sorted.
    sorted: { ...batch.sorted, files: [] },
  }
}

/** Whether a list was only partly read. If it changed, nothing of it is planned, and it is read again. */
const isPartlyRead = ({ plan }: EndedBatch): boolean => plan.list !== undefined && !plan.list.sorted

/** A retry keeps the selection of its batch. */
const retryRequest = (before: BatchRequest, request: BatchRequest): BatchRequest => ({
  ...request,
  ...filtersOf(before),
  prefix: before.prefix,
  limit: request.limit,
  tag: before.tag || request.tag,
  exif: before.exif ?? request.exif,
})

/** A retry must not replace images that the limit excluded. */
const lastKeyOf = ({ plan, request }: EndedBatch): string | undefined =>
  plan.lastKey ?? (request.limit === undefined ? undefined : plan.cursor)

/**
 * Applies a fire to a batch.
 * @returns undefined when nothing changes: the batch is open, or this fire was applied before
 * @throws InvalidInputError for a fire that selects other images than the batch
 */
export function applyFire(batch: Batch, { request, requestId }: Fired): NextBatch | undefined {
  if (batch.requestId === requestId || batch.queued?.requestId === requestId) return undefined
  refuseOther(batch, request)
  if (isEnded(batch) && batch.announced) return nextRun(batch, { request, requestId })
  if ('outcome' in batch) return { ...batch, queued: { request, requestId } }
  // A fire after a cancel revokes it.
  return batch.cancelRequested ? { ...batch, cancelRequested: false, requestId } : undefined
}

/** Requests the end of a batch. */
export const requestCancel = (batch: Batch): NextBatch | undefined =>
  batch.cancelRequested || 'outcome' in batch ? undefined : { ...batch, cancelRequested: true }

/** Marks the end as announced. Begins a queued run; otherwise frees the lease. */
export function afterAnnouncement(batch: EndedBatch): NextBatch {
  const { queued } = batch
  const done = { ...batch, announced: true }
  return queued ? nextRun(done, queued) : { ...done, lease: { ...batch.lease, holder: null, phase: 'idle' } }
}

/**
 * Refuses a fire that selects other images: an id stands for one prefix, and an open batch for one selection. Other
 * images would be omitted silently.
 * @throws InvalidInputError
 */
export function refuseOther(batch: Batch, request: BatchRequest): void {
  const { batch: id, bucket, request: asked } = batch
  const hint = 'Choose another id, or leave it out.'
  const isOther = request.prefix.join('\n') !== asked.prefix.join('\n')
  if (!request.retry && (isOther || (request.bucket ?? bucket) !== bucket)) {
    const about = asked.prefix.map((prefix) => `s3://${bucket}/${prefix}`).join(', ')
    throw new InvalidInputError('batch_differs', `The batch "${id}" covers ${about}`, { hint })
  }
  const isNew = 'outcome' in batch && batch.outcome === 'complete'
  if (isNew && !request.retry) return
  // A retry uses the batch's own filters; it need not name them, and may lower the limit.
  const others = differences(asked, request).filter((name) => !request.retry || request[name] !== undefined)
  const refused = isNew ? others.filter((name) => name !== 'limit') : others
  if (refused.length === 0) return
  throw new InvalidInputError(
    'batch_differs',
    `The batch "${id}" is open with different values of ${refused.join(', ')}`,
    {
      hint: 'Use the same filters, retry the batch, or choose another id.',
    },
  )
}
