import type { Range } from '../../schema'
import type { Piece } from '../state/batch'
import { gaps } from './coverage'

/** What has not reported for so long is dispatched again, milliseconds: longer than the sequence's time limit and a queue. */
const overdueAfter = 8 * 60_000

/** Before what died is dispatched again, milliseconds from its dispatch on; doubles with each attempt of an image. */
const firstPause = 5_000

/** How often a single image is tried before it is given up. */
const maxAttempts = 5

/** Whether a piece is to be given to another activation. What dies at once may die of something that passes. */
function isOverdue({ at, attempts, ended }: Piece, now: number): boolean {
  const pause = Math.min(firstPause * 2 ** (attempts - 1), overdueAfter)
  return at > 0 && now - at > (ended ? pause : overdueAfter)
}

/**
 * What died or did not report in time waits in halves, so that one image that kills its container is found.
 * @returns all pieces, and single images that were tried often enough
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
