// A live lease is not nudged, even when its holder is about to leave.

import { openBatch as original } from '../../../src/batch/state/batch'

export * from '../../../src/batch/state/batch'

export const openBatch: typeof original = (context, batch) => {
  const document = original(context, batch)
  return {
    ...document,
    update: (change) =>
      document.update((current) => {
        const next = change(current)
        const isNudge = current?.lease.phase === 'leaving' && next?.lease.phase === 'working'
        return isNudge && next.lease.beat === current.lease.beat ? undefined : next
      }),
  }
}
