import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { apply, type Bucket, bodyPath, type Numbered } from './bucket'
import { openJournal, writeJournal } from './journal'
import { toBinary } from './listing'

const journalIn = (folder: string): string => join(folder, 'journal.jsonl')

/** Creates the folder of a bucket. The bucket exists once its journal does. */
export function createBucket(folder: string): void {
  mkdirSync(join(folder, 'bodies'), { recursive: true })
  // Starts from the clock, so that numbers keep growing if a bucket is deleted and created again.
  const created: Numbered = { n: Date.now() * 1000, created: Date.now() }
  writeJournal(journalIn(folder), [created])
}

/** Deletes a bucket, journal first: without it the bucket does not exist. */
export function deleteBucket(bucket: Bucket): void {
  bucket.isClosed = true
  bucket.journal.close()
  rmSync(journalIn(bucket.folder))
  rmSync(bucket.folder, { recursive: true, force: true })
}

function replay(name: string, folder: string): { bucket: Bucket; lines: number } {
  const bucket: Bucket = {
    name,
    folder,
    created: 0,
    journal: openJournal<Numbered>(journalIn(folder)),
    n: 0,
    objects: new Map(),
    keys: [],
    uploads: new Map(),
    acknowledged: null,
    isClosed: false,
    changed: () => {},
  }
  let lines = 0
  for (const { value } of bucket.journal.read(0)) {
    apply(bucket, value)
    lines++
  }
  return { bucket, lines }
}

/** Journal lines to keep: those in effect, and events not yet delivered. */
function* linesInEffect(bucket: Bucket): Generator<Numbered> {
  for (const { value } of bucket.journal.read(0)) {
    if ('acknowledged' in value || 'cors' in value) continue
    const isPending = bucket.acknowledged !== null && value.n > bucket.acknowledged
    const isInEffect =
      'created' in value ||
      ('part' in value && bucket.uploads.has(value.of)) ||
      ('upload' in value && bucket.uploads.has(value.upload.id)) ||
      ('tag' in value && bucket.objects.get(toBinary(value.tag))?.taggedAt === value.n) ||
      ('put' in value && bucket.objects.get(toBinary(value.put.key))?.n === value.n)
    if (isPending || isInEffect) yield value
  }
  if (bucket.cors) yield { n: bucket.n, cors: bucket.cors }
  yield { n: bucket.n, acknowledged: bucket.acknowledged }
}

function deleteUnreferenced(bucket: Bucket): void {
  const used = new Set([...bucket.objects.values()].map(({ file }) => file))
  for (const { parts } of bucket.uploads.values()) for (const { file } of parts.values()) used.add(file)
  for (const file of readdirSync(join(bucket.folder, 'bodies'))) {
    if (!used.has(file)) rmSync(bodyPath(bucket, file), { force: true })
  }
}

/**
 * Opens a bucket, compacts its journal if it is mostly history, and deletes unreferenced bodies. Deletes a folder without a
 * journal, left by an interrupted creation or deletion.
 */
export function openBucket(name: string, folder: string): Bucket | undefined {
  if (!existsSync(journalIn(folder))) {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  let { bucket, lines } = replay(name, folder)
  if (lines > 2 * bucket.objects.size + 1000) {
    writeJournal(journalIn(folder), linesInEffect(bucket), bucket.journal.close)
    bucket = replay(name, folder).bucket
  }
  bucket.keys = [...bucket.objects.keys()].sort()
  deleteUnreferenced(bucket)
  return bucket
}
