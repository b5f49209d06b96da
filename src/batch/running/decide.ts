import type { Position } from '../planning/planner'
import type { Batch, Dispatch, NextBatch, OpenBatch, Piece, Window } from '../state/batch'
import type { Refusal } from '../state/hand-over'
import type { Chunk, Part } from '../state/layout'
import { beginClosing, reported } from '../state/transitions'
import { isClosable } from '../uploads/day'
import { isCovered, mergeRanges } from './coverage'
import { splitOverdue } from './overdue'
import { countSent, freeSlots, grow, shrink } from './window'

/*
 * Decides the next state of an open batch from what was observed. Pure, so that it can be applied again after a
 * conflict.
 */

/** The outcome of dispatching a piece. */
export interface Sent {
  piece: Piece
  /** Undefined when the platform refused. */
  activationId?: string
  refusal?: Refusal
}

export interface Observed {
  /** Milliseconds since the epoch. */
  now: number
  epoch: number
  /** How far planning has come. */
  position?: Position
  /** Published chunks from the first undispatched position. */
  ready: Chunk[]
  /** Parts that may cover pieces in flight. */
  parts: Part[]
  /** Activations that had ended before the parts were listed. `next` classifies the rest. */
  ended: Map<string, { next?: string }>
  sent: Sent[]
  /** Dispatch nothing more: this activation is about to end. */
  isLate: boolean
}

export interface Turn {
  batch: NextBatch
  /** Dispatch these once the batch is written. */
  toDispatch: Piece[]
  /** Single images whose attempts are used up. */
  lost: Piece[]
}

/** Images that must have reported before a percentage of errors is judged. */
const minSample = 20

/** Consecutive equal failures after which a batch is stopped. */
const maxFailures = 3

/** The next state of an open batch, and what to dispatch or report lost once it is written. */
export function nextTurn(batch: OpenBatch, observed: Observed): Turn {
  const learned = applyObserved(batch, observed)
  const early = earlyEnd(learned)
  if (early) return { batch: beginClosing(learned, early.outcome, early.reason), toDispatch: [], lost: [] }
  if (isDone(learned, observed.now))
    return { batch: beginClosing(learned, 'complete'), toDispatch: [], lost: [] }
  const { pieces, lost } = splitOverdue(learned.dispatch.pieces, observed)
  const waiting = { ...learned, dispatch: { ...learned.dispatch, pieces } }
  if (observed.isLate) return { batch: waiting, toDispatch: [], lost }
  return { ...fillWindow(waiting, observed), lost }
}

/** Applies observations to the batch. */
function applyObserved(batch: OpenBatch, observed: Observed): OpenBatch {
  const { now, position, parts, sent } = observed
  const outcomes = new Map(sent.map((one) => [attemptOf(one.piece), one]))
  const pieces = batch.dispatch.pieces.map((piece) =>
    updatePiece(piece, outcomes.get(attemptOf(piece)), observed),
  )
  const held = mergeRanges(parts)
  const done = pieces.filter((piece) => isCovered(piece, held))
  const errors = done.reduce((sum, piece) => sum + errorsOf(piece, parts), batch.dispatch.errors)
  const refusals = sent.flatMap(({ refusal }) => refusal ?? [])
  const hasFound = position !== undefined && position.planned > batch.plan.planned
  return {
    ...batch,
    plan: position ? { ...batch.plan, ...position } : batch.plan,
    dispatch: {
      ...batch.dispatch,
      pieces: pieces.filter((piece) => !isCovered(piece, held)),
      errors,
      throttles: batch.dispatch.throttles + Math.min(refusals.length, 1),
      window: windowAfter(batch.dispatch.window, { pieces, done, refusals, now }),
    },
    failure: done.length > 0 ? undefined : batch.failure,
    busyAt: batch.kind === 'uploads' && (hasFound || refusals.length > 0) ? now : batch.busyAt,
  }
}

function windowAfter(
  window: Window,
  { pieces, done, refusals, now }: { pieces: Piece[]; done: Piece[]; refusals: Refusal[]; now: number },
): Window {
  const inFlight = pieces.filter(isInFlight).length
  const took = Math.min(...done.filter(isInFlight).map(({ at }) => now - at), Number.POSITIVE_INFINITY)
  const [refusal] = refusals
  return refusal
    ? shrink(window, refusal, inFlight)
    : grow(window, { inFlight, done: done.length, took }, now)
}

const isInFlight = ({ at }: Piece): boolean => at > 0

/** Identifies an attempt at a piece. */
const attemptOf = ({ start, end, at }: Piece): string => `${start}-${end}-${at}`

/** Updates a piece with its dispatch outcome or the end of its activation. */
function updatePiece(piece: Piece, outcome: Sent | undefined, { now, epoch, ended }: Observed): Piece {
  const { activationId } = outcome ?? piece
  if (activationId === undefined) {
    // A piece of an earlier holder may have been recorded but never dispatched.
    return outcome || piece.by !== epoch ? { ...piece, at: 0, by: epoch } : piece
  }
  const answer = ended.get(activationId)
  if (!answer) return { ...piece, activationId }
  // An activation that stopped early names its successor.
  return answer.next === undefined
    ? { ...piece, activationId, ended: true }
    : { ...piece, activationId: answer.next, at: now }
}

/** Errors of a reported piece. An estimate where parts overlap or exceed the piece. */
function errorsOf({ start, end }: Piece, parts: Part[]): number {
  let errors = 0
  let next = start
  for (const part of parts) {
    if (part.end <= next || part.start >= end) continue
    errors += part.errors
    next = part.end
  }
  return Math.min(errors, end - start)
}

/** Why a batch ends before all images are done, if it does. */
export function earlyEnd(
  batch: OpenBatch,
): { outcome: 'cancelled' | 'stopped'; reason?: string } | undefined {
  const { failure, request, kind } = batch
  if (kind === 'uploads') return undefined
  if (failure && failure.count >= maxFailures) {
    return { outcome: 'stopped', reason: `${failure.message} (${failure.code})` }
  }
  if (hasTooManyErrors(batch)) {
    const reason = `More errors than maxErrors (${request.maxErrors}) allows; a retry resumes there`
    return { outcome: 'stopped', reason }
  }
  return batch.cancelRequested ? { outcome: 'cancelled' } : undefined
}

/** Whether the errors exceed `maxErrors`. */
export function hasTooManyErrors(batch: Pick<Batch, 'request' | 'dispatch'>): boolean {
  const { maxErrors } = batch.request
  if (maxErrors === undefined) return false
  const { before, errors: all } = batch.dispatch
  const allowed = Number.parseInt(maxErrors, 10)
  const errors = all - before.errors
  if (!maxErrors.endsWith('%')) return errors > allowed
  const images = reported(batch) - before.reported
  return images >= minSample && errors * 100 > allowed * images
}

/** Whether nothing is left to dispatch or await. A day is not done before it is over. */
function isDone({ batch, kind, plan, dispatch }: OpenBatch, now: number): boolean {
  const isReported = plan.done && dispatch.next >= plan.planned && dispatch.pieces.length === 0
  return isReported && (kind === 'fired' || isClosable(batch, now))
}

/** Fills the window: pieces to retry first, then new chunks. */
function fillWindow(batch: OpenBatch, { now, epoch, ready }: Observed): Omit<Turn, 'lost'> {
  const { dispatch } = batch
  const inFlight = dispatch.pieces.filter(isInFlight).length
  let room = freeSlots(dispatch.window, inFlight, now)
  const toDispatch: Piece[] = []
  const assign = (piece: Pick<Piece, 'start' | 'end' | 'chunk' | 'attempts'>): Piece => {
    const { start, end, chunk, attempts } = piece
    const taken = { start, end, chunk, attempts, at: now, by: epoch }
    toDispatch.push(taken)
    room--
    return taken
  }
  const pieces = dispatch.pieces.map((piece) => (piece.at === 0 && room > 0 ? assign(piece) : piece))
  let { next } = dispatch
  for (const chunk of ready) {
    if (room <= 0 || chunk.start !== next || chunk.end > batch.plan.planned) break
    pieces.push(assign({ start: chunk.start, end: chunk.end, chunk, attempts: 1 }))
    next = chunk.end
  }
  const after: Dispatch = {
    ...dispatch,
    pieces,
    next,
    window: countSent(dispatch.window, toDispatch.length, now),
  }
  return { batch: { ...batch, dispatch: toDispatch.length > 0 ? after : dispatch }, toDispatch }
}
