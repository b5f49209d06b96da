import { exitCode, exitCodeOfBatches } from '../../src/cli/output'
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
  ])('where %s', (_, summaries, expected) => {
    expect(exitCodeOfBatches(summaries)).toBe(expected)
  })
})
