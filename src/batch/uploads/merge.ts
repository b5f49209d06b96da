import type { ImageRecord } from '../../schema'
import { comparePositions } from '../results/cursor'

/** When the version that was read was written; what could not be read counts less than what could. */
const versionOf = ({ lastModified }: ImageRecord): number => Date.parse(lastModified ?? '') || 0

/** Of two records of one image the newer; which one must not hang on the order they come in. */
function newerOf(a: ImageRecord, b: ImageRecord): ImageRecord {
  // A download that began earlier may have read the later version.
  const versions = versionOf(a) - versionOf(b)
  if (versions !== 0) return versions > 0 ? a : b
  if (a.at !== b.at) return a.at > b.at ? a : b
  return JSON.stringify(a) >= JSON.stringify(b) ? a : b
}

/** The newest record of each image, kept as records come. */
export function newestRecords() {
  const newest = new Map<string, ImageRecord>()
  return {
    add(record: ImageRecord): void {
      const image = `${record.bucket}/${record.key}`
      const known = newest.get(image)
      newest.set(image, known ? newerOf(known, record) : record)
    },
    /** In the order in which a batch's records are read. */
    inOrder: (): ImageRecord[] => [...newest.values()].sort(comparePositions),
  }
}

type Records = AsyncGenerator<ImageRecord>

/**
 * Merges ordered records, each image once in each, into one such order: the newest of each image. Holds one record of
 * each.
 */
export function mergeRecords(sources: Records[]): Records {
  const [first = none(), second] = sources
  if (!second) return first
  const middle = Math.ceil(sources.length / 2)
  return mergeTwo(mergeRecords(sources.slice(0, middle)), mergeRecords(sources.slice(middle)))
}

async function* none(): Records {}

async function* mergeTwo(left: Records, right: Records): Records {
  try {
    let [a, b] = await Promise.all([left.next(), right.next()])
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : comparePositions(a.value, b.value)
      if (order === 0) yield newerOf(a.value, b.value)
      else yield order < 0 ? a.value : b.value
      if (order <= 0) a = await left.next()
      if (order >= 0) b = await right.next()
    }
  } finally {
    await Promise.all([left.return(undefined), right.return(undefined)])
  }
}
