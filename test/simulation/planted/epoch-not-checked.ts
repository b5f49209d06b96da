// A holder continues after another has taken the lease.

import { type NextBatch, openBatch as original } from '../../../src/batch/state/batch'
import { BatchTakenOverError } from '../../../src/errors'

export * from '../../../src/batch/state/batch'

export const openBatch: typeof original = (context, batch) => {
  const document = original(context, batch)
  let mine: NextBatch['lease'] | undefined
  return {
    ...document,
    update: async (change) => {
      const written = await document.update((current) => {
        try {
          return change(current)
        } catch (thrown) {
          if (!(thrown instanceof BatchTakenOverError && current && mine)) throw thrown
          return change({ ...current, lease: { ...current.lease, holder: mine.holder, epoch: mine.epoch } })
        }
      })
      if (written?.lease.holder) mine ??= written.lease
      return written
    },
  }
}
