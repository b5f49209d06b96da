// A piece that does not report is never dispatched again.

import { nextTurn as original } from '../../../src/batch/running/decide'

export * from '../../../src/batch/running/decide'

export const nextTurn: typeof original = (batch, observed) => {
  const { now } = observed
  const young = <T extends { at: number }>(piece: T): T => (piece.at > 0 ? { ...piece, at: now } : piece)
  const pieces = batch.dispatch.pieces.map(young)
  const sent = observed.sent.map((one) => ({ ...one, piece: young(one.piece) }))
  return original({ ...batch, dispatch: { ...batch.dispatch, pieces } }, { ...observed, sent })
}
