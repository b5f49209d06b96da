import * as z from 'zod'
import type { ImageRecord } from '../../schema'
import { comparePositions } from '../records/keys'
import { spreadsheetCsv } from '../reports/csv'
import { emptyIndex, type IndexSoFar, openIndexBuilder } from '../reports/index-builder'
import { indexSoFarSchema } from '../reports/index-file'
import { count, emptyTally, type Tally, tallySchema } from '../reports/summary'
import type { ClosingBatch, EndedBatch } from '../state/batch'
import { type ResultsName, resultsNames, segmentKey } from '../state/layout'
import type { Lease } from '../state/lease'
import type { Context } from '../state/platform'
import { whileClosing } from '../state/transitions'
import { putFiles } from './join'
import { openSource, sourcePositionSchema } from './source'

/*
 * A run's files are written in segments. The batch document counts them, so that another activation can resume.
 */

/**
 * A segment ends after this many bytes of JSON Lines: above the minimum of an upload part, so that it can be copied.
 */
export const segmentBytes = { value: 8 * 1024 * 1024 }

/** Images between renewals of the lease. */
const renewEvery = 200

/** `state.json` of a segment: the counts so far and where to resume. */
const stateSchema = z.strictObject({
  tally: tallySchema,
  index: indexSoFarSchema,
  position: sourcePositionSchema,
  /** The last record written. */
  last: z.strictObject({ key: z.string(), bucket: z.string() }).optional(),
})
type SegmentState = z.infer<typeof stateSchema>

/** The counts of all segments of a run together. */
export async function readState(
  { results }: Pick<Context, 'results'>,
  { batch, run, segments, usage }: ClosingBatch | EndedBatch,
): Promise<SegmentState> {
  const n = segments.length - 1
  const epoch = segments[n]
  if (epoch === undefined) {
    return {
      tally: { ...emptyTally(), usage: structuredClone(usage) },
      index: emptyIndex(),
      position: { offsets: [], reported: 0 },
    }
  }
  const { body } = await results.get(segmentKey(batch, { run, n, epoch }, 'state.json'))
  return stateSchema.parse(JSON.parse(body.toString('utf8')))
}

type Files = Record<ResultsName, Buffer>

/** Collects the files of one segment after another. */
function openFiles(index: IndexSoFar, isFirst: boolean) {
  const builder = openIndexBuilder(index)
  const empty = (csv: string[] = []) => ({
    'results.jsonl': [] as string[],
    'results.csv': csv,
    'errors.jsonl': [] as string[],
  })
  let lines = empty(isFirst ? [spreadsheetCsv.header] : [])
  let bytes = 0
  return {
    isFull: () => bytes >= segmentBytes.value,
    add: (record: ImageRecord) => {
      const line = `${JSON.stringify(record)}\n`
      lines['results.jsonl'].push(line)
      lines['results.csv'].push(spreadsheetCsv.line(record))
      if (record.error) lines['errors.jsonl'].push(line)
      builder.add(record, line)
      bytes += Buffer.byteLength(line)
    },
    /** The files of what was added since the last segment. */
    take: (isLast: boolean): Files => {
      const block = builder.block()
      const files = {
        'results.jsonl': Buffer.from(lines['results.jsonl'].join('')),
        'results.csv': Buffer.from(lines['results.csv'].join('')),
        'errors.jsonl': Buffer.from(lines['errors.jsonl'].join('')),
        'index.bin': isLast ? Buffer.concat([block, builder.end()]) : block,
      }
      lines = empty()
      bytes = 0
      return files
    },
  }
}

/**
 * Writes the missing segments of a run. A run that fits in one segment is written as the final files.
 * @returns false when time ran out; the next activation resumes
 */
export async function writeSegments(lease: Lease, context: Context, stopAt: number): Promise<boolean> {
  const closing = lease.batch() as ClosingBatch
  const state = await readState(context, closing)
  const { tally, index } = state
  let { last } = state
  const isBegun = closing.segments.length > 0
  const source = openSource(closing, context, {
    from: isBegun ? state.position : undefined,
    last: last?.key,
    usage: tally.usage,
  })
  const open = openFiles(index, !isBegun)
  let images = 0
  const put = async (isLast: boolean): Promise<void> => {
    const files = open.take(isLast)
    if (isLast && segmentsOf(lease).length === 0) await putFiles(lease, context, files)
    await publish(lease, context, { tally, index, position: source.position(), last }, files, isLast)
  }
  for await (const record of source.records) {
    if (last && comparePositions(record, last) <= 0) continue
    last = { key: record.key, bucket: record.bucket }
    count(tally, record)
    open.add(record)
    if (++images % renewEvery === 0) await lease.save()
    if (!open.isFull()) continue
    await put(false)
    if (context.clock.now() >= stopAt) return false
  }
  await put(true)
  return true
}

const segmentsOf = (lease: Lease): number[] => (lease.batch() as ClosingBatch).segments

/** Writes a segment named by its epoch. It counts once the batch document lists it. */
async function publish(
  lease: Lease,
  { results }: Context,
  state: { tally: Tally } & Omit<SegmentState, 'tally'>,
  files: Files,
  isLast: boolean,
): Promise<void> {
  const { batch, run } = lease.batch()
  const n = segmentsOf(lease).length
  const at = (name: ResultsName | 'state.json') => segmentKey(batch, { run, n, epoch: lease.epoch }, name)
  const isOnly = isLast && n === 0
  for (const name of isOnly ? [] : resultsNames) await results.put(at(name), files[name])
  await results.put(at('state.json'), JSON.stringify(state), { contentType: 'application/json' })
  const isJoined = isOnly && { joined: [...resultsNames] }
  await lease.save(
    whileClosing((current) =>
      current.segments.length === n
        ? { ...current, segments: [...current.segments, lease.epoch], finished: isLast, ...isJoined }
        : undefined,
    ),
  )
}
