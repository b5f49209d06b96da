import * as z from 'zod'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { type Piece, type PieceStart, partsAhead, piecesInOrder } from '../chunk/parts'
import { leavesRecord } from '../chunk/record'
import { compareKeys } from '../keys'
import { recordKey } from '../layout'
import type { Plan } from '../plan/plan'
import type { Usage } from '../summary/usage'
import { openRemovals } from './removals'

/** About so many records are read ahead of those in use. */
const recordsAhead = 1000

/** How far the passes of a batch have been read. Plain data: it can be stored and gone on from. */
export const passesPositionSchema = z.object({
  /** Of each pass; null while nothing of it was found. */
  runs: z.array(z.object({ part: z.string(), next: z.int() }).nullable()),
  /** Positions that have a record, over all passes. */
  reported: z.int(),
})
export type PassesPosition = z.infer<typeof passesPositionSchema>

export interface PassesOptions {
  /** Where an earlier reading stopped. */
  from?: PassesPosition
  /** Whether all of the last pass has reported. */
  complete?: boolean
  /** Called once for every part of which something is read, also where an earlier reading had begun with it. */
  onUsage?(usage: Usage): void
}

/** One image: its newest record, or none where a later pass found the image gone. */
export interface Outcome {
  record?: ImageRecord
}

/** The records of one pass, with a look at the next one. */
interface Run {
  head: ImageRecord | undefined
  advance(): Promise<void>
  position(): PieceStart | null
}

async function openRun(
  pieces: AsyncGenerator<Piece>,
  from: PieceStart | undefined,
  onUsage: PassesOptions['onUsage'],
): Promise<Run> {
  let piece: Piece | undefined
  let at = 0
  const run: Run = {
    head: undefined,
    advance: async () => {
      at++
      while (at >= (piece?.records.length ?? 0)) {
        const next = await pieces.next()
        if (next.done) break
        piece = next.value
        at = 0
        if (piece.usage && piece.part.key !== from?.part) onUsage?.(piece.usage)
      }
      run.head = piece?.records[at]
    },
    position: () => (piece ? { part: piece.part.key, next: piece.start + at } : (from ?? null)),
  }
  await run.advance()
  return run
}

/** Opens the passes of a batch to read what became of each of its images. */
export async function openPasses(
  results: Bucket,
  plan: Plan,
  { from, complete = false, onUsage }: PassesOptions = {},
) {
  const { batch, passes, planned } = plan
  // What is read ahead is in memory: the larger the parts and the more the passes, the fewer of each.
  const ahead = 1 + Math.floor(Math.min(partsAhead - 1, recordsAhead / plan.chunkSize) / passes.length)
  const runs = await Promise.all(
    passes.map((start, pass) => {
      const begun = from?.runs[pass] ?? undefined
      const range = { start, end: passes[pass + 1] ?? planned }
      return openRun(piecesInOrder(results, batch, range, { from: begun, ahead }), begun, onUsage)
    }),
  )
  const lastRemoval = openRemovals(results, plan)
  const swept = (plan.swept ?? []).filter((pass) => complete || pass < passes.length - 1)
  const lastSwept = Math.max(-1, ...swept)
  let reported = from?.reported ?? 0

  async function isGone(record: ImageRecord, pass: number): Promise<boolean> {
    if ((await lastRemoval(record.key)) > pass) return true
    if (lastSwept <= pass || leavesRecord(record)) return false
    // It would have been planned again if it were there, unless somebody else had classified it meanwhile.
    for (const model of new Set([record.model, plan.modelVersion]))
      if (await results.head(recordKey(model, record))) return false
    return true
  }

  return {
    /** What became of each image, in the order of their keys: a later pass wins over an earlier one. */
    outcomes: async function* (): AsyncGenerator<Outcome> {
      for (;;) {
        const heads = runs.flatMap(({ head }) => (head ? [head.key] : []))
        const key = heads.length > 1 ? heads.sort(compareKeys)[0] : heads[0]
        if (key === undefined) return
        let newest: { record: ImageRecord; pass: number } | undefined
        for (const [pass, run] of runs.entries()) {
          if (run.head?.key !== key) continue
          newest = { record: run.head, pass }
          reported++
          await run.advance()
        }
        if (newest) yield (await isGone(newest.record, newest.pass)) ? {} : { record: newest.record }
      }
    },
    /** Where to go on after the outcome that came last. */
    position: (): PassesPosition => ({ runs: runs.map((run) => run.position()), reported }),
  }
}

/** The newest record of each image of a batch, in the order of their keys, as far as there are any. */
export async function* recordsOfBatch(results: Bucket, plan: Plan): AsyncGenerator<ImageRecord> {
  const passes = await openPasses(results, plan)
  for await (const { record } of passes.outcomes()) if (record) yield record
}
