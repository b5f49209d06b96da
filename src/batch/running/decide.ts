import type { Position } from '../planning/planner'
import type { Batch, Dispatch, NextBatch, OpenBatch, Piece } from '../state/batch'
import type { Chunk, Part } from '../state/layout'
import { closing, reported } from '../state/transitions'
import { isOver } from '../uploads/day'
import { gaps } from './coverage'
import { grown, type Refusal, roomOf, shrunk, used } from './window'

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

/** What has not reported for so long is dispatched again, milliseconds: longer than the sequence's time limit and a queue. */
const overdueAfter = 8 * 60_000

/** Before what died is dispatched again, milliseconds from its dispatch on; doubles with each attempt of an image. */
const firstPause = 5_000

/** How often a single image is tried before it is given up. */
const maxAttempts = 5

/** A share of errors says nothing before so many images have reported. */
const smallestSample = 20

/** The same failure so often in a row, that is no image's fault, stops a batch. */
const mostFailures = 3

/** The next state of an open batch, and what is to be done about it. */
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
  const { now, epoch, position, parts, ended, sent } = observed
  const pieces = batch.dispatch.pieces.map((piece) =>
    answered(afterwards(known(piece, epoch), sent), ended, now),
  )
  const isReported = (piece: Piece) => gaps(piece, parts).length === 0
  const done = pieces.filter(isReported)
  const errors = done.reduce((sum, piece) => sum + errorsOf(piece, parts), batch.dispatch.errors)
  const refusals = sent.flatMap(({ refusal }) => refusal ?? [])
  const [refusal] = refusals
  const larger = grown(batch.dispatch.window, done.length, now)
  const window = refusal ? shrunk(larger, refusal, pieces.filter(({ at }) => at > 0).length) : larger
  const hasFound = position !== undefined && position.planned > batch.plan.planned
  return {
    ...batch,
    plan: position ? { ...batch.plan, ...position } : batch.plan,
    dispatch: { ...batch.dispatch, pieces: pieces.filter((piece) => !isReported(piece)), errors, window },
    failure: done.length > 0 ? undefined : batch.failure,
    busyAt: batch.kind === 'uploads' && (hasFound || refusals.length > 0) ? now : batch.busyAt,
  }
}

/** What a holder before was about to give out may have no activation: it waits to be given out again. */
const known = (piece: Piece, epoch: number): Piece =>
  piece.activationId === undefined && piece.by !== epoch ? { ...piece, at: 0, by: epoch } : piece

/** What became of a piece that was given out in the last turn. */
function afterwards(piece: Piece, sent: Sent[]): Piece {
  const outcome = sent.find(
    ({ piece: { start, end, at } }) => start === piece.start && end === piece.end && at === piece.at,
  )
  if (!outcome) return piece
  return outcome.activationId === undefined
    ? { ...piece, at: 0 }
    : { ...piece, activationId: outcome.activationId }
}

/** Whether the activation of a piece has ended; one that stopped early names the one that goes on with the rest. */
function answered(piece: Piece, ended: Observed['ended'], now: number): Piece {
  const answer = piece.activationId === undefined ? undefined : ended.get(piece.activationId)
  if (!answer) return piece
  return answer.next === undefined
    ? { ...piece, ended: true }
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
  if (failure && failure.count >= mostFailures) {
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

/** Whether a piece is to be given to another activation. What dies at once may die of something that passes. */
function isOverdue({ at, attempts, ended }: Piece, now: number): boolean {
  const pause = Math.min(firstPause * 2 ** (attempts - 1), overdueAfter)
  return at > 0 && now - at > (ended ? pause : overdueAfter)
}

/** What died or did not report in time waits in halves, so that one image that kills its container is found. */
function splitOverdue(pieces: Piece[], { now, parts, epoch }: Observed) {
  const lost: Piece[] = []
  const split = pieces.flatMap((piece) => {
    if (!isOverdue(piece, now)) return [piece]
    const isSingle = piece.end - piece.start === 1
    if (isSingle && piece.attempts >= maxAttempts) {
      lost.push(piece)
      return [piece]
    }
    const { chunk } = piece
    const attempts = piece.attempts + Number(isSingle)
    return gaps(piece, parts)
      .flatMap(halves)
      .map((range): Piece => ({ ...range, chunk, at: 0, attempts, by: epoch }))
  })
  return { pieces: split, lost }
}

function halves({ start, end }: { start: number; end: number }) {
  if (end - start === 1) return [{ start, end }]
  const middle = Math.floor((start + end) / 2)
  return [
    { start, end: middle },
    { start: middle, end },
  ]
}

/** Gives out what there is room for: what waits first, then chunks. */
function giveOut(batch: OpenBatch, { now, epoch, ready }: Observed): Omit<Turn, 'lost'> {
  const { dispatch } = batch
  const underWay = dispatch.pieces.filter(({ at }) => at > 0).length
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
