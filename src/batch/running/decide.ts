import type { Position } from '../planning/planner'
import type { Batch, Dispatch, NextBatch, OpenBatch, Piece, Window } from '../state/batch'
import type { Refusal } from '../state/hand-over'
import type { Chunk, Part } from '../state/layout'
import { closing, reported } from '../state/transitions'
import { isOver } from '../uploads/day'
import { isHeld, joined } from './coverage'
import { splitOverdue } from './overdue'
import { grown, roomOf, shrunk, used } from './window'

/*
 * What becomes of an open batch, given what was observed. Pure: it is applied again where another writer was faster.
 */

/** What became of a piece that was given out. */
export interface Sent {
  piece: Piece
  /** Of the activation, unless the platform has refused it. */
  activationId?: string
  refusal?: Refusal
}

export interface Observed {
  /** Milliseconds since the epoch. */
  now: number
  epoch: number
  /** How far planning has come. */
  position?: Position
  /** Published chunks from the first position that was not given out. */
  ready: Chunk[]
  /** All that may hold something of the pieces under way. */
  parts: Part[]
  /** Of activations that have ended, before the parts were listed: the one that goes on with what was left over. */
  ended: Map<string, { next?: string }>
  sent: Sent[]
  /** Nothing more is to be given out: this activation is about to end. */
  isLate: boolean
}

export interface Turn {
  batch: NextBatch
  /** To be dispatched, once the batch is written. */
  give: Piece[]
  /** Single images that were tried often enough. */
  lost: Piece[]
}

/** A share of errors says nothing before so many images have reported. */
const smallestSample = 20

/** The same failure so often in a row, that is no image's fault, stops a batch. */
const maxFailures = 3

/** The next state of an open batch, and what to dispatch or report once it is written. */
export function nextTurn(batch: OpenBatch, observed: Observed): Turn {
  const learned = learn(batch, observed)
  const early = earlyEnd(learned)
  if (early) return { batch: closing(learned, early.outcome, early.reason), give: [], lost: [] }
  if (isDone(learned, observed.now)) return { batch: closing(learned, 'complete'), give: [], lost: [] }
  const { pieces, lost } = splitOverdue(learned.dispatch.pieces, observed)
  const waiting = { ...learned, dispatch: { ...learned.dispatch, pieces } }
  if (observed.isLate) return { batch: waiting, give: [], lost }
  return { ...giveOut(waiting, observed), lost }
}

/** Takes down what was observed. */
function learn(batch: OpenBatch, observed: Observed): OpenBatch {
  const { now, position, parts, sent } = observed
  const outcomes = new Map(sent.map((one) => [nameOf(one.piece), one]))
  const pieces = batch.dispatch.pieces.map((piece) => followed(piece, outcomes.get(nameOf(piece)), observed))
  const held = joined(parts)
  const done = pieces.filter((piece) => isHeld(piece, held))
  const errors = done.reduce((sum, piece) => sum + errorsOf(piece, parts), batch.dispatch.errors)
  const refusals = sent.flatMap(({ refusal }) => refusal ?? [])
  const hasFound = position !== undefined && position.planned > batch.plan.planned
  return {
    ...batch,
    plan: position ? { ...batch.plan, ...position } : batch.plan,
    dispatch: {
      ...batch.dispatch,
      pieces: pieces.filter((piece) => !isHeld(piece, held)),
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
  const underWay = pieces.filter(isUnderWay).length
  const took = Math.min(...done.filter(isUnderWay).map(({ at }) => now - at), Number.POSITIVE_INFINITY)
  const [refusal] = refusals
  return refusal
    ? shrunk(window, refusal, underWay)
    : grown(window, { underWay, done: done.length, took }, now)
}

const isUnderWay = ({ at }: Piece): boolean => at > 0

/** A piece by which attempt at what it is. */
const nameOf = ({ start, end, at }: Piece): string => `${start}-${end}-${at}`

/** A piece with what became of it: it was dispatched or refused, or its activation has ended. */
function followed(piece: Piece, outcome: Sent | undefined, { now, epoch, ended }: Observed): Piece {
  const { activationId } = outcome ?? piece
  if (activationId === undefined) {
    // What a holder before was about to give out may have no activation, either.
    return outcome || piece.by !== epoch ? { ...piece, at: 0, by: epoch } : piece
  }
  const answer = ended.get(activationId)
  if (!answer) return { ...piece, activationId }
  // One that stopped early names the one that goes on with the rest.
  return answer.next === undefined
    ? { ...piece, activationId, ended: true }
    : { ...piece, activationId: answer.next, at: now }
}

/** How many images of a reported piece are in error: an estimate where parts overlap or hold more than the piece. */
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

/** Why a batch is to end before all of it is done, if it is to. */
export function earlyEnd(
  batch: OpenBatch,
): { outcome: 'cancelled' | 'stopped'; reason?: string } | undefined {
  const { failure, request, kind } = batch
  if (kind === 'uploads') return undefined
  if (failure && failure.count >= maxFailures) {
    return { outcome: 'stopped', reason: `${failure.message} (${failure.code})` }
  }
  if (hasTooManyErrors(batch)) {
    const reason = `More errors than maxErrors (${request.maxErrors}) allows; a retry goes on where it ended`
    return { outcome: 'stopped', reason }
  }
  return batch.cancelRequested ? { outcome: 'cancelled' } : undefined
}

/** Whether more images failed than the batch allows. */
export function hasTooManyErrors(batch: Pick<Batch, 'request' | 'dispatch'>): boolean {
  const { maxErrors } = batch.request
  if (maxErrors === undefined) return false
  const { before, errors: all } = batch.dispatch
  const allowed = Number.parseInt(maxErrors, 10)
  const errors = all - before.errors
  if (!maxErrors.endsWith('%')) return errors > allowed
  const images = reported(batch) - before.reported
  return images >= smallestSample && errors * 100 > allowed * images
}

/** Whether nothing is left to be dispatched or waited for. A day of uploads is not done before it is over. */
function isDone({ batch, kind, plan, dispatch }: OpenBatch, now: number): boolean {
  const isReported = plan.done && dispatch.next >= plan.planned && dispatch.pieces.length === 0
  return isReported && (kind === 'fired' || isOver(batch, now))
}

/** Gives out what there is room for: what waits first, then chunks. */
function giveOut(batch: OpenBatch, { now, epoch, ready }: Observed): Omit<Turn, 'lost'> {
  const { dispatch } = batch
  const underWay = dispatch.pieces.filter(isUnderWay).length
  let room = roomOf(dispatch.window, underWay, now)
  const give: Piece[] = []
  const given = (piece: Pick<Piece, 'start' | 'end' | 'chunk' | 'attempts'>): Piece => {
    const { start, end, chunk, attempts } = piece
    const taken = { start, end, chunk, attempts, at: now, by: epoch }
    give.push(taken)
    room--
    return taken
  }
  const pieces = dispatch.pieces.map((piece) => (piece.at === 0 && room > 0 ? given(piece) : piece))
  let { next } = dispatch
  for (const chunk of ready) {
    if (room <= 0 || chunk.start !== next || chunk.end > batch.plan.planned) break
    pieces.push(given({ start: chunk.start, end: chunk.end, chunk, attempts: 1 }))
    next = chunk.end
  }
  const after: Dispatch = { ...dispatch, pieces, next, window: used(dispatch.window, give.length, now) }
  return { batch: { ...batch, dispatch: give.length > 0 ? after : dispatch }, give }
}
