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
  { known, change, isOwn, contentType = 'application/json' }: Swap,
  { clock, random }: Pace,
): Promise<(Seen & { written: boolean }) | undefined> {
  const end = clock.now() + giveUpAfter
  let seen = known
  for (let attempt = 0; ; attempt++) {
    if (seen === undefined) {
      const found = await bucket.find(key)
      seen = found ? { body: found.body.toString('utf8'), etag: found.etag } : null
      if (attempt > 0 && seen && isOwn(seen.body)) return { ...seen, written: true }
    }
    const body = await change(seen ?? undefined)
    if (body === undefined) return seen ? { ...seen, written: false } : undefined
    try {
      const etag = await bucket.put(key, body, { contentType, replaces: seen ? seen.etag : null })
      return { body, etag, written: true }
    } catch (thrown) {
      const isConflict = thrown instanceof StorageError && thrown.code === 'precondition_failed'
      // A connection that broke says nothing of what the store did: it may have landed.
      if (!isConflict && !(thrown instanceof StorageError && thrown.retryable)) throw thrown
      if (clock.now() >= end) throw isConflict ? tooContended(bucket, key, thrown) : thrown
    }
    seen = undefined
    await clock.sleep(random() * Math.min(firstPause * 2 ** attempt, longestPause))
  }
}

const tooContended = (bucket: Bucket, key: string, cause: unknown): StorageError =>
  new StorageError(
    'precondition_failed',
    412,
    `Could not write s3://${bucket.name}/${key}: others kept changing it`,
    { retryable: true, cause },
  )
