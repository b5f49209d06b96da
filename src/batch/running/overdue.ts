import type { Range } from '../../schema'
import type { Piece } from '../state/batch'
import { gaps } from './coverage'

/** Redispatch a piece after this long without a report, milliseconds: the sequence's time limit plus queueing. */
const overdueAfter = 8 * 60_000

/** Backoff for a piece whose activation died, milliseconds since its dispatch; doubles with each attempt. */
const minBackoff = 5_000

/** Attempts at a single image before it is reported lost. */
const maxAttempts = 5

/** Whether to dispatch a piece again. One that died waits for its backoff: the cause may be transient. */
function isOverdue({ at, attempts, ended }: Piece, now: number): boolean {
  const pause = Math.min(minBackoff * 2 ** (attempts - 1), overdueAfter)
  return at > 0 && now - at > (ended ? pause : overdueAfter)
}

/**
 * Splits overdue pieces in halves, to isolate an image that kills its container.
 * @returns all pieces, and single images whose attempts are used up
 */
export function splitOverdue(
  pieces: Piece[],
  { now, parts, epoch }: { now: number; parts: Range[]; epoch: number },
): { pieces: Piece[]; lost: Piece[] } {
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
