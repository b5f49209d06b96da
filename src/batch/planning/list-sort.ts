import { WhisklensError } from '../../errors'
import { type ImageRef, imageRefSchema } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import { putJsonLines } from '../records/json-lines'
import { comparePositions } from '../records/keys'
import { mergeRecords, type Records } from '../records/merge'
import { deleteRuns } from '../records/run-objects'
import type { SortedList } from '../state/batch'
import { listKey, listPrefix } from '../state/layout'
import { listEtag, readList } from './list-read'

/*
 * Sorts a list of any length by key and removes duplicates. Portions that fit in memory are sorted and written, then
 * merged while they are read.
 */

export type Entry = Pick<ImageRef, 'bucket' | 'key'>

/** A portion ends at this many images, or characters of their names. */
export const portion = { images: 50_000, characters: 4 * 1024 * 1024 }

/** Read buffers during the merge: for all portions together, and the minimum and maximum for one. Bytes. */
const blockBytes = { all: 8 * 1024 * 1024, min: 16 * 1024, max: 512 * 1024 }

export interface ListToSort {
  batch: string
  run: number
  /** Names the portions: the batch's revision when this planning began. */
  epoch: number
  /** `s3://bucket/key` of the list. */
  manifest: string
  /** For lines that name no bucket. */
  bucket: string
}

/**
 * Reads a list from where an earlier reading stopped, and writes its portions.
 * @returns the progress after each portion
 * @throws WhisklensError for a list that is missing, has changed or cannot be parsed
 */
export async function* sortList(
  toSort: ListToSort,
  before: SortedList | undefined,
  store: Store,
  results: Bucket,
): AsyncGenerator<SortedList> {
  const { manifest, batch, run, epoch } = toSort
  if (before?.sorted) return
  let list: SortedList = before ?? {
    etag: await listEtag(manifest, store),
    bytes: 0,
    lines: 0,
    files: [],
    sorted: false,
  }
  let pending = openPortion()
  const write = async (sorted: boolean): Promise<void> => {
    const images = pending.inOrder()
    const key = listKey(batch, { run, n: list.files.length, epoch })
    if (images.length > 0) await putJsonLines(results, key, images)
    list = { ...list, files: images.length > 0 ? [...list.files, key] : list.files, sorted }
    pending = openPortion()
  }
  for await (const { listed, ...position } of readList(manifest, list.etag, list, store)) {
    const { bucket = toSort.bucket, key } = listed
    refuseResults(bucket, results, manifest)
    pending.add({ bucket, key })
    list = { ...list, ...position }
    if (!pending.isFull()) continue
    await write(false)
    yield list
  }
  await write(true)
  yield list
}

/** @throws WhisklensError `manifest_invalid` for an image in the results bucket */
function refuseResults(bucket: string, results: Bucket, manifest: string): void {
  if (bucket !== results.name) return
  throw new WhisklensError('manifest_invalid', `${manifest} names an image in the results bucket, ${bucket}`)
}

/** Collects images, each once. */
function openPortion() {
  const images = new Map<string, Entry>()
  let characters = 0
  return {
    add: (image: Entry): void => {
      const name = `${image.bucket}/${image.key}`
      if (images.has(name)) return
      images.set(name, image)
      characters += name.length
    },
    isFull: () => images.size >= portion.images || characters >= portion.characters,
    inOrder: (): Entry[] => [...images.values()].sort(comparePositions),
  }
}

/**
 * Reads a sorted list in the order of keys and then buckets, each image once.
 * @param files the portions of the list
 * @param after the image to start after
 */
export async function* readSorted(files: string[], results: Bucket, after?: Entry): AsyncGenerator<Entry> {
  const { all, min, max } = blockBytes
  const size = Math.min(Math.max(Math.ceil(all / files.length), min), max)
  async function* entriesOf(key: string): Records<Entry> {
    for await (const line of results.lines(key, { blockBytes: size })) {
      const entry = imageRefSchema.parse(JSON.parse(line))
      if (!after || comparePositions(entry, after) > 0) yield entry
    }
  }
  yield* mergeRecords(files.map(entriesOf), (first) => first)
}

/** Removes the portions used to plan runs up to this one. */
export const dropList = (batch: string, upTo: number, results: Bucket): Promise<void> =>
  deleteRuns(results, listPrefix(batch), upTo)
