import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { BatchSummary, ImageRecord } from '../schema'
import type { Bucket } from '../storage/store'
import { csvHeader, toCsvLine } from './csv'
import { compareKeys } from './keys'
import { resultsKey } from './layout'
import { recordsInOrder } from './parts'
import type { Plan } from './plan'
import { count, emptyTally, summarize } from './summary'
import { writeSummary } from './summary-object'

/** A text object that is written as it grows. */
function openText(results: Bucket, key: string, contentType: string) {
  const stream = new PassThrough()
  const written = results.putStream(key, stream, contentType)
  // Awaited in end(); until then a failure must not count as unhandled.
  written.catch(() => stream.destroy())
  return {
    write: async (text: string): Promise<void> => {
      if (!stream.write(text)) await Promise.race([once(stream, 'drain'), written])
    },
    end: async (): Promise<void> => {
      stream.end()
      await written
    },
  }
}

/**
 * The records of all passes in the order of their keys, each image once: a later pass wins over an earlier one.
 */
export async function* recordsOfBatch(results: Bucket, plan: Plan): AsyncGenerator<ImageRecord> {
  const runs = plan.passes.map((start, pass) =>
    recordsInOrder(results, plan.batch, { start, end: plan.passes[pass + 1] ?? plan.planned }),
  )
  const heads = await Promise.all(runs.map((run) => run.next()))
  for (;;) {
    const keys = heads.flatMap((head) => (head.done ? [] : [head.value.key]))
    const key = keys.sort(compareKeys)[0]
    if (key === undefined) return
    let newest: ImageRecord | undefined
    for (const [pass, run] of runs.entries()) {
      const head = heads[pass]
      if (!head || head.done || head.value.key !== key) continue
      newest = head.value
      heads[pass] = await run.next()
    }
    if (newest) yield newest
  }
}

/**
 * Writes what a finished batch leaves: `results.jsonl`, `results.csv`, `errors.jsonl` and, last, `summary.json`. All
 * of it follows from the plan and the parts, so that closing twice, or two closers at once, leave the same bytes.
 * @param stillThere called now and then, for closing a large batch takes longer than a lease
 * @returns the summary, and whether this call was the one that closed the batch
 */
export async function closeBatch(
  results: Bucket,
  plan: Plan,
  stillThere: () => Promise<unknown> = async () => {},
): Promise<{ summary: BatchSummary; first: boolean }> {
  const { batch } = plan
  const lines = openText(results, resultsKey(batch, 'results.jsonl'), 'application/x-ndjson')
  const csv = openText(results, resultsKey(batch, 'results.csv'), 'text/csv; charset=utf-8')
  const errors = openText(results, resultsKey(batch, 'errors.jsonl'), 'application/x-ndjson')
  const tally = emptyTally()
  await csv.write(csvHeader)
  for await (const record of recordsOfBatch(results, plan)) {
    const line = `${JSON.stringify(record)}\n`
    count(tally, record)
    if ((tally.ok + tally.error) % 500 === 0) await stillThere()
    await lines.write(line)
    await csv.write(toCsvLine(record))
    if (record.error) await errors.write(line)
  }
  await Promise.all([lines.end(), csv.end(), errors.end()])
  const summary = summarize(tally, {
    batch,
    state: plan.ended ?? 'complete',
    model: plan.modelVersion,
    listed: plan.listed,
    // An image that a later pass did again counts once.
    planned: plan.ended ? plan.planned : tally.ok + tally.error,
    skipped: plan.skipped,
    exact: true,
    startedAt: plan.startedAt,
  })
  return { summary, first: await writeSummary(results, summary) }
}
