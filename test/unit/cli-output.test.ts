import { exitCode, exitCodeOfBatches } from '../../src/cli/shared/output'
import { describeSummary } from '../../src/cli/shared/summary'
import type { BatchSummary } from '../../src/schema'
import { summaryOf } from './cli-run'

const over = (state: BatchSummary['state'], error = 0): BatchSummary =>
  summaryOf('b', { state, totals: { listed: 3, planned: 3, skipped: 0, ok: 3 - error, error, pending: 0 } })

describe('the exit code of a command that waited for batches', () => {
  it.each<[string, BatchSummary[], number]>([
    ['all are complete', [over('complete'), over('complete')], exitCode.ok],
    ['images of one are in error', [over('complete'), over('complete', 1)], exitCode.someInError],
    ['one was stopped by its errors', [over('stopped', 3)], exitCode.failed],
    ['one with an error was cancelled', [over('cancelled', 1)], exitCode.failed],
    ['one was stopped, and another has errors', [over('complete', 1), over('stopped')], exitCode.failed],
  ])('if %s', (_, summaries, expected) => {
    expect(exitCodeOfBatches(summaries)).toBe(expected)
  })
})

describe('a summary as text', () => {
  it('says why a batch was stopped', () => {
    const summary = { ...over('stopped', 1), reason: 'No such\nbucket' }
    expect(describeSummary(summary)).toMatch(/^reason +No such\\x0abucket$/m)
  })

  it('has no reason without one', () => {
    expect(describeSummary(over('complete', 1))).not.toMatch(/^reason/m)
  })

  it('distinguishes images done by earlier runs from unchanged ones', () => {
    const totals = { listed: 3, planned: 1, skipped: 2, ok: 1, error: 0, pending: 0 }
    const first = describeSummary(summaryOf('b', { totals }))
    expect(first).toMatch(/^images +1 planned of 3 listed, 2 unchanged and skipped$/m)
    const again = describeSummary(summaryOf('b', { totals: { ...totals, skipped: 3 } }))
    expect(again).toMatch(/^images +1 planned of 3 listed, 3 done before and skipped$/m)
  })
})
