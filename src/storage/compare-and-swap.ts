import type { Clock } from '../clock'
import { StorageError } from '../errors'
import type { Bucket } from './store'

/** What pauses between attempts are made of. */
export interface Pace {
  clock: Clock
  /** 0–1. */
  random(): number
}

/** An object as it was last seen. */
export interface Seen {
  body: string
  etag: string
}

export interface Swap {
  /** The object where it was seen before: null for none; undefined where it has to be read first. */
  known?: Seen | null
  /** The body that is to take the place of what is there; undefined to leave it. May be called several times. */
  change(current: Seen | undefined): string | undefined | Promise<string | undefined>
  /** Whether a body that is there was written by this very swap: its answer may have been lost. */
  isOwn(body: string): boolean
  contentType?: string
}

/** How long others may get in the way, milliseconds. */
const giveUpAfter = 30_000
/** Pauses double up to the longest one, jittered, milliseconds. */
const firstPause = 20
const longestPause = 1_000

/**
 * Replaces an object only by a successor of what is there. A write whose answer was lost, whether the SDK repeated it or
 * not, is found by its own body.
 * @returns what is there in the end: the body written, or what `change` left; undefined for none
 * @throws StorageError `precondition_failed`, retryable, when others kept changing it
 */
export async function compareAndSwap(
  bucket: Bucket,
  key: string,
  swap: Swap,
  { clock, random }: Pace,
): Promise<Standing | undefined> {
  const end = clock.now() + giveUpAfter
  let outcome = await attempt(bucket, key, swap, swap.known)
  for (let retry = 0; 'thrown' in outcome; retry++) {
    if (clock.now() >= end) throw outcome.thrown
    await clock.sleep(random() * Math.min(firstPause * 2 ** retry, longestPause))
    outcome = await attempt(bucket, key, { ...swap, isRepeated: true })
  }
  return outcome.standing
}

/** What is there in the end, and whether this swap wrote it. */
type Standing = Seen & { written: boolean }

async function attempt(
  bucket: Bucket,
  key: string,
  { change, isOwn, contentType = 'application/json', isRepeated = false }: Swap & { isRepeated?: boolean },
  known?: Seen | null,
): Promise<{ standing: Standing | undefined } | { thrown: StorageError }> {
  const seen = known ?? (await see(bucket, key, known))
  if (isRepeated && seen && isOwn(seen.body)) return { standing: { ...seen, written: true } }
  const body = await change(seen ?? undefined)
  if (body === undefined) return { standing: seen ? { ...seen, written: false } : undefined }
  const outcome = await put(bucket, key, body, { contentType, replaces: seen?.etag ?? null })
  return 'thrown' in outcome ? outcome : { standing: { body, etag: outcome.etag, written: true } }
}

/** @param known null where the object is known not to be there */
async function see(bucket: Bucket, key: string, known: null | undefined): Promise<Seen | null> {
  if (known === null) return null
  const found = await bucket.find(key)
  return found ? { body: found.body.toString('utf8'), etag: found.etag } : null
}

/** Writes, or tells of a conflict, or of a broken connection, after which the write may have landed. */
async function put(
  bucket: Bucket,
  key: string,
  body: string,
  options: { contentType: string; replaces: string | null },
): Promise<{ etag: string } | { thrown: StorageError }> {
  try {
    return { etag: await bucket.put(key, body, options) }
  } catch (thrown) {
    if (!(thrown instanceof StorageError)) throw thrown
    if (thrown.code === 'precondition_failed') return { thrown: tooContended(bucket, key, thrown) }
    if (thrown.retryable) return { thrown }
    throw thrown
  }
}

const tooContended = (bucket: Bucket, key: string, cause: unknown): StorageError =>
  new StorageError(
    'precondition_failed',
    412,
    `Could not write s3://${bucket.name}/${key}: others kept changing it`,
    { retryable: true, cause },
  )

/**
 * Writes an object if it is still of a given version.
 * @param replaces etag of the version that must be there, or null for none
 * @returns the new etag; undefined when something else is there, or the very same whose answer got lost
 */
export async function putIf(
  bucket: Bucket,
  key: string,
  body: Buffer | string,
  replaces: string | null,
  contentType = 'application/json',
): Promise<string | undefined> {
  try {
    return await bucket.put(key, body, { contentType, replaces })
  } catch (thrown) {
    if (!(thrown instanceof StorageError && thrown.code === 'precondition_failed')) throw thrown
    return undefined
  }
}
