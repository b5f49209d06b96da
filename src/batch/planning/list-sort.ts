import { WhisklensError } from '../../errors'
import { type ImageRef, imageRefSchema } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import { putJsonLines } from '../records/json-lines'
import { comparePositions } from '../records/keys'
import { mergeRecords, type Records } from '../records/merge'
import type { SortedList } from '../state/batch'
import { listKey, listPrefix } from '../state/layout'
import { etagOf, readList } from './list-read'

/*
 * A list of any length in the order of keys, each image once: it is read in portions that fit into memory, each of which
 * is sorted and written; then the portions are merged as they are read, side by side.
 */

/** An image of a list. */
export type Entry = Pick<ImageRef, 'bucket' | 'key'>

/** A portion ends behind so many images, or so many characters of their names. */
export const portion = { images: 50_000, characters: 4 * 1024 * 1024 }

/** What all portions may have in memory at a time while they are merged, and the least and most of one, bytes. */
const blockBytes = { all: 8 * 1024 * 1024, least: 16 * 1024, most: 512 * 1024 }

/** What a list is sorted for. */
export interface Sorting {
  batch: string
  run: number
  /** Names the portions: the revision of the batch from which on this is planned. */
  epoch: number
  /** `s3://bucket/key` of the list. */
  manifest: string
  /** Of images whose line names none. */
  bucket: string
}

/**
 * Reads a list from where an earlier reading of it stopped, and writes its portions.
 * @returns how far it has come, after each portion
 * @throws WhisklensError for a list that is not there, has changed since, or cannot be understood
 */
export async function* sortList(
  sorting: Sorting,
  before: SortedList | undefined,
  store: Store,
  results: Bucket,
): AsyncGenerator<SortedList> {
  const { manifest, batch, run, epoch } = sorting
  if (before?.sorted) return
  let list: SortedList = before ?? {
    etag: await etagOf(manifest, store),
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
    const { bucket = sorting.bucket, key } = listed
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

/** @throws WhisklensError `manifest_invalid` where an image would be one of the results */
function refuseResults(bucket: string, results: Bucket, manifest: string): void {
  if (bucket !== results.name) return
  throw new WhisklensError('manifest_invalid', `${manifest} names the bucket of the results, ${bucket}`)
}

/** Images of a list, each kept once. */
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
 * All images of a sorted list in the order of keys and then of buckets, each once.
 * @param files the portions of the list
 * @param after the image that the reading is to begin behind
 */
export async function* readSorted(files: string[], results: Bucket, after?: Entry): AsyncGenerator<Entry> {
  const { all, least, most } = blockBytes
  const size = Math.min(Math.max(Math.ceil(all / files.length), least), most)
  async function* entriesOf(key: string): Records<Entry> {
    for await (const line of results.lines(key, { blockBytes: size })) {
      const entry = imageRefSchema.parse(JSON.parse(line))
      if (!after || comparePositions(entry, after) > 0) yield entry
    }
  }
  yield* mergeRecords(files.map(entriesOf), (first) => first)
}

/** Removes the portions that runs up to this one have been planned by. */
export async function dropList(batch: string, upTo: number, results: Bucket): Promise<void> {
  const keys: string[] = []
  const prefix = listPrefix(batch)
  for await (const { key } of results.list({ prefix }))
    if (Number.parseInt(key.slice(prefix.length), 10) <= upTo) keys.push(key)
  if (keys.length > 0) await results.deleteAll(keys)
}
