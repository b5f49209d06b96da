import * as z from 'zod'
import { readAhead } from '../../read-ahead'
import { type ImageRecord, type Range, rangeSchema } from '../../schema'
import { openGrowing } from '../../storage/growing-object'
import { putOnce } from '../../storage/put-once'
import type { Bucket } from '../../storage/store'
import { batchFolder, runKey } from '../layout'
import { countUsage, emptyTally, type Tally } from '../summary/summary'
import { mergeRecords, newestRecords } from './merge'
import { type ListedPart, listUploadParts, partNameAt, readUploadPart } from './parts'

/*
 * A large day does not fit into memory. So its parts are sorted in portions, the runs, which are read side by side: the
 * memory that takes is that of a line of each.
 */

export const runLimits = {
  /** A portion has so many parts, or bytes. */
  parts: 1000,
  bytes: 8 * 1024 * 1024,
  /** So many runs of less than so many bytes become one: there are few runs then, and a record is copied once. */
  smallRuns: 10,
  smallBytes: 4 * 1024 * 1024,
}

/** No activation that began to write a part so long ago is still alive, even if clocks differ by minutes; milliseconds. */
const longestWrite = 5 * 60 * 1000

/** Parts are read so many at a time. */
export const partsAhead = 16

/** Sorted records; named by the first and the last of the parts in it, counted from 0. */
const runSchema = rangeSchema.extend({ bytes: z.int() })
type Run = z.infer<typeof runSchema>

/** `runs.json` of a day of uploads. */
const runsSchema = z.object({
  /** The parts up to this name are in the runs. */
  upTo: z.string(),
  parts: z.int(),
  runs: z.array(runSchema),
  usage: z.custom<Tally['usage']>(),
})
export type Runs = z.infer<typeof runsSchema>

const runsKey = (batch: string): string => `${batchFolder(batch)}runs.json`

export async function readRuns(results: Bucket, batch: string): Promise<{ runs: Runs; etag: string | null }> {
  const found = await results.find(runsKey(batch))
  if (!found) return { runs: { upTo: '', parts: 0, runs: [], usage: emptyTally().usage }, etag: null }
  return { runs: runsSchema.parse(JSON.parse(found.body.toString('utf8'))), etag: found.etag }
}

/**
 * Sorts one portion of the parts that no other can precede any more.
 * @returns false when they are too few, or somebody else is doing the same
 */
export async function sortNextRun(results: Bucket, batch: string): Promise<boolean> {
  const { runs, etag } = await readRuns(results, batch)
  const parts = await nextPortion(results, batch, runs.upTo)
  const last = parts?.at(-1)
  if (!parts || !last) return false
  const newest = newestRecords()
  for await (const part of readAhead(parts, partsAhead, (one) => readUploadPart(results, batch, one))) {
    for (const record of part.records) newest.add(record)
    if (part.usage) countUsage(runs, part.usage)
  }
  const range = { start: runs.parts, end: runs.parts + parts.length }
  runs.runs.push(await writeRun(results, batch, range, newest.inOrder()))
  runs.upTo = last.name
  runs.parts = range.end
  runs.runs = await withoutSmall(results, batch, runs)
  return (await putOnce(results, runsKey(batch), JSON.stringify(runs), etag)) !== undefined
}

/** The parts of the next run, if there are enough. */
async function nextPortion(results: Bucket, batch: string, after: string): Promise<ListedPart[] | undefined> {
  const settled = partNameAt(Date.now() - longestWrite)
  const parts: ListedPart[] = []
  let bytes = 0
  for await (const part of listUploadParts(results, batch, after)) {
    if (part.name >= settled) return undefined
    parts.push(part)
    bytes += part.bytes
    if (parts.length >= runLimits.parts || bytes >= runLimits.bytes) return parts
  }
  return undefined
}

/** What is replaced stays where it is: somebody may be reading it. */
async function withoutSmall(results: Bucket, batch: string, { runs, parts }: Runs): Promise<Run[]> {
  const small = runs.filter(({ bytes }) => bytes < runLimits.smallBytes)
  const [first] = small
  if (!first || small.length < runLimits.smallRuns) return runs
  const range = { start: first.start, end: parts }
  const merged = await writeRun(results, batch, range, mergeRecords(openRuns(results, batch, small).records))
  return [...runs.filter((run) => !small.includes(run)), merged]
}

async function writeRun(
  results: Bucket,
  batch: string,
  range: Range,
  records: Iterable<ImageRecord> | AsyncIterable<ImageRecord>,
): Promise<Run> {
  const file = openGrowing(results, runKey(batch, range), 'application/x-ndjson')
  let bytes = 0
  try {
    for await (const record of records) {
      const line = `${JSON.stringify(record)}\n`
      bytes += Buffer.byteLength(line)
      await file.append(line)
    }
    await file.finish()
  } catch (thrown) {
    await file.abort()
    throw thrown
  }
  return { ...range, bytes }
}

/** What all runs together may have in memory at a time, and the least and most of one. */
const blockBytes = { all: 8 * 1024 * 1024, least: 32 * 1024, most: 1024 * 1024 }

/** Runs that are read side by side. */
export interface OpenRuns {
  records: AsyncGenerator<ImageRecord>[]
  /** Where in each run the record begins that came last: whoever goes on from there gets it once more. */
  offsets(): number[]
}

/** @param from where in each run an earlier reading stopped */
export function openRuns(results: Bucket, batch: string, runs: Run[], from?: number[]): OpenRuns {
  const fair = Math.ceil(blockBytes.all / runs.length)
  const block = Math.min(Math.max(fair, blockBytes.least), blockBytes.most)
  const offsets = from ? [...from] : runs.map(() => 0)
  async function* read(run: Run, index: number): AsyncGenerator<ImageRecord> {
    let next = offsets[index] ?? 0
    for await (const line of results.lines(runKey(batch, run), { from: next, blockBytes: block })) {
      offsets[index] = next
      next += Buffer.byteLength(line) + 1
      yield JSON.parse(line)
    }
    offsets[index] = next
  }
  return { records: runs.map(read), offsets: () => [...offsets] }
}
