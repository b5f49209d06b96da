import { readAhead } from '../../read-ahead'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { countUsage, type Tally } from '../summary/summary'
import { mergeRecords, newestRecords } from './merge'
import { listUploadParts, readUploadPart } from './parts'
import { openRuns, partsAhead, readRuns } from './runs'

/** A day's uploads as they stood when they were opened. */
export interface Uploads {
  /** How many parts there are. */
  parts: number
  /** What the activations that wrote the parts used. */
  usage: Tally['usage']
  /** Tells one standing from another. */
  state: string
  /** Reads the runs as records are asked for. @param from where in each run an earlier reading stopped */
  read(from?: number[]): UploadsReading
}

export interface UploadsReading {
  /** The newest record of each image, in the order of their keys, then of their buckets. */
  records: AsyncGenerator<ImageRecord>
  /** Where in each run to go on after the record that came last; some that came before may come once more. */
  offsets(): number[]
}

/** Opens a day's uploads. In memory is what came since the last run was made. */
export async function openUploads(results: Bucket, batch: string): Promise<Uploads> {
  const { runs } = await readRuns(results, batch)
  const newest = newestRecords()
  let { parts } = runs
  const listed = listUploadParts(results, batch, runs.upTo)
  for await (const part of readAhead(listed, partsAhead, (one) => readUploadPart(results, batch, one))) {
    for (const record of part.records) newest.add(record)
    if (part.usage) countUsage(runs, part.usage)
    parts++
  }
  const unsorted = newest.inOrder()
  return {
    parts,
    usage: runs.usage,
    state: JSON.stringify([parts, runs.runs]),
    read: (from) => {
      const sorted = openRuns(results, batch, runs.runs, from)
      return { records: mergeRecords([...sorted.records, each(unsorted)]), offsets: sorted.offsets }
    },
  }
}

async function* each<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}
