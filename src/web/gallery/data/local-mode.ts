import { signal } from '@preact/signals-core'
import type { BatchFiring, FiredAnswer } from '../contract'
import { type Browser, dayOf, type LocalMode, type Problem } from './api'
import type { BatchState } from './batch'
import type { BatchesState } from './batches'
import type { OwnerRoutes } from './owner'
import { problemOf } from './problems'
import { uploadsOf } from './uploads'

/** Timeout for a fired batch to start, milliseconds. */
const startTimeout = 30_000

/** Actions of the owner in the local mode. */
export function localMode(
  { after }: Pick<Browser, 'after'>,
  routes: OwnerRoutes,
  batches: BatchesState,
  batch: Pick<BatchState, 'refresh' | 'expectChange'>,
): LocalMode {
  const problem = signal<Problem | undefined>()
  const attempt = async (run: () => Promise<void>) => {
    try {
      await run()
      problem.value = undefined
    } catch (thrown) {
      problem.value = problemOf(thrown)
    }
  }

  const sent = uploadsOf(routes, () => {
    // Uploads go into the batch of the day, which may not exist yet.
    if (dayOf(batches.chosen.peek() ?? '') === undefined) batches.follow((id) => dayOf(id) !== undefined)
    batch.refresh('user')
  })

  const ofBatch = (what: 'retry' | 'cancel') =>
    attempt(async () => {
      await routes.call<FiredAnswer>(
        `/batches/${encodeURIComponent(batches.chosen.peek() ?? '')}/${what}`,
        {},
      )
      batch.expectChange(startTimeout)
      await batch.refresh('user')
    })

  return {
    ...sent,
    problem,
    clearUploads: () => {
      sent.clearUploads()
      problem.value = undefined
    },
    fire: (prefix) =>
      attempt(async () => {
        const firing: BatchFiring = { prefix, force: true }
        const fired = await routes.call<FiredAnswer>('/batches', firing)
        batches.follow((id) => id === fired.batch)
        after(startTimeout, () => {
          if (!batches.list.peek().some((summary) => summary.batch === fired.batch))
            problem.value = notStarted
        })
      }),
    retryErrors: () => ofBatch('retry'),
    cancelBatch: () => ofBatch('cancel'),
  }
}

const notStarted: Problem = {
  code: 'not_begun',
  message: 'The batch has not started',
  hint: 'Check the activations of start-batch: wsk activation list whisklens/start-batch.',
}
