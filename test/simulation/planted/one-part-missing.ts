// A batch closes although its last piece has not reported.

import { nextTurn as original } from '../../../src/batch/running/decide'

export * from '../../../src/batch/running/decide'

export const nextTurn: typeof original = (batch, observed) => {
  const { plan, dispatch } = batch
  const isLast = plan.done && dispatch.next >= plan.planned && dispatch.pieces.length === 1
  return original(isLast ? { ...batch, dispatch: { ...dispatch, pieces: [] } } : batch, observed)
}
