import { msOf } from '../../clock'
import type { ImageRecord } from '../../schema'
import { comparePositions } from './keys'

/** When the version that was read was written. A version that could not be read ranks lowest. */
const versionOf = ({ lastModified }: ImageRecord): number => msOf(lastModified ?? '') || 0

/** The newer of two records of an image, independent of their order. */
export function newerOf(a: ImageRecord, b: ImageRecord): ImageRecord {
  // A download that began earlier may still have read the later version.
  const versions = versionOf(a) - versionOf(b)
  if (versions !== 0) return versions > 0 ? a : b
  if (a.at !== b.at) return a.at > b.at ? a : b
  return JSON.stringify(a) >= JSON.stringify(b) ? a : b
}

/** Collects records and keeps the newest of each image. */
export function newestRecords() {
  const newest = new Map<string, ImageRecord>()
  return {
    add(record: ImageRecord): void {
      const image = `${record.bucket}/${record.key}`
      const known = newest.get(image)
      newest.set(image, known ? newerOf(known, record) : record)
    },
    /** Sorted by {@link comparePositions}. */
    inOrder: (): ImageRecord[] => [...newest.values()].sort(comparePositions),
  }
}

type OfImage = Pick<ImageRecord, 'key' | 'bucket'>

export type Records<T extends OfImage = ImageRecord> = AsyncGenerator<T>

/** Chooses between two records of one image. */
export type Choice<T extends OfImage = ImageRecord> = (left: T, right: T) => T

/**
 * Merges sorted sources into one, holding one record of each. A source has each image once.
 * @param choose between records of one image, given the earlier source's and the later's
 */
export function mergeRecords<T extends OfImage>(sources: Records<T>[], choose: Choice<T>): Records<T> {
  const [first = none(), second] = sources
  if (!second) return first
  const middle = Math.ceil(sources.length / 2)
  return mergeTwo(
    mergeRecords(sources.slice(0, middle), choose),
    mergeRecords(sources.slice(middle), choose),
    choose,
  )
}

async function* none(): AsyncGenerator<never> {}

async function* mergeTwo<T extends OfImage>(
  left: Records<T>,
  right: Records<T>,
  choose: Choice<T>,
): Records<T> {
  try {
    let [a, b] = await Promise.all([left.next(), right.next()])
    while (!a.done && !b.done) {
      const order = comparePositions(a.value, b.value)
      yield order === 0 ? choose(a.value, b.value) : order < 0 ? a.value : b.value
      if (order <= 0) a = await left.next()
      if (order >= 0) b = await right.next()
    }
    for (; !a.done; a = await left.next()) yield a.value
    for (; !b.done; b = await right.next()) yield b.value
  } finally {
    await Promise.all([left.return(undefined), right.return(undefined)])
  }
}
