import pLimit from 'p-limit'
import { readAhead } from '../../read-ahead'
import { imageRefSchema } from '../../schema'
import type { Bucket, ObjectInfo, Store } from '../../storage/store'
import { comparePositions } from '../records/keys'
import { recordsPrefix } from '../state/layout'
import type { Entry } from './list-sort'
import { lookUp } from './look-up'
import { type DueRules, decideDue, type ImageAndRecord, type Step } from './walk'

/** Images looked up per block, and blocks looked up ahead of planning. */
export const block = { length: 1_000, ahead: 2 }

/** How to walk a list. */
export interface ListWalk extends DueRules {
  /** The last image of the walk, as a cursor. */
  lastKey?: string
  /** Whether the request's filters on keys select a missing image. */
  isNamed(key: string): boolean
}

/** A cursor holds the bucket too: the images of a list may lie in several. */
const cursorOf = ({ bucket, key }: Entry): string => JSON.stringify({ bucket, key })

/** Parses a cursor. */
export const entryAt = (cursor: string): Entry | undefined =>
  cursor === '' ? undefined : imageRefSchema.parse(JSON.parse(cursor))

/**
 * Walks the images of a sorted list together with their records. Missing images are yielded too: their record reports
 * it.
 */
export async function* walkList(
  walk: ListWalk,
  entries: AsyncIterable<Entry>,
  store: Store,
  results: Bucket,
): AsyncGenerator<Step> {
  const last = entryAt(walk.lastKey ?? '')
  const find = (wanted: Entry[]) => findAll(wanted, walk.modelVersion, store, results)
  async function* found(): AsyncGenerator<ImageAndRecord & { entry: Entry }> {
    for await (const all of readAhead(blocksOf(entries), block.ahead, find)) yield* all
  }
  for await (const { entry, image, due } of decideDue(walk, found(), results)) {
    if (last && comparePositions(entry, last) > 0) return
    const cursor = cursorOf(entry)
    if (image) yield { cursor, ...due }
    else yield { cursor, ...(walk.isNamed(entry.key) ? { listed: true, image: entry } : { listed: false }) }
  }
}

async function* blocksOf(entries: AsyncIterable<Entry>): AsyncGenerator<Entry[]> {
  let pending: Entry[] = []
  for await (const entry of entries) {
    if (pending.push(entry) < block.length) continue
    yield pending
    pending = []
  }
  if (pending.length > 0) yield pending
}

/** Looks up the images of a block and their records, per bucket. */
async function findAll(wanted: Entry[], modelVersion: string, store: Store, results: Bucket) {
  const buckets = [...new Set(wanted.map(({ bucket }) => bucket))]
  // A block may span as many buckets as it has images.
  const atOnce = pLimit(4)
  const known = await Promise.all(
    buckets.map((name) =>
      atOnce(async (): Promise<[string, Map<string, ObjectInfo>, Map<string, ObjectInfo>]> => {
        const keys = wanted.filter(({ bucket }) => bucket === name).map(({ key }) => key)
        const root = recordsPrefix(modelVersion, name)
        // Records with longer keys are looked up singly.
        const short = keys.filter((key) => Buffer.byteLength(root + key) <= 1024)
        return [
          name,
          ...(await Promise.all([lookUp(store.bucket(name), keys), lookUp(results, short, root)])),
        ]
      }),
    ),
  )
  const images = new Map(known.map(([name, found]) => [name, found]))
  const records = new Map(known.map(([name, , found]) => [name, found]))
  return wanted.map((entry) => {
    const { bucket, key } = entry
    return { entry, bucket, image: images.get(bucket)?.get(key), record: records.get(bucket)?.get(key) }
  })
}
