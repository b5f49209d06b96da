import type { Clock } from '../clock'
import { StorageError } from '../errors'
import type { Bucket } from './store'

/** The clock and random source of backoff. */
export interface Backoff {
  clock: Clock
  /** 0–1. */
  random(): number
}

/** An object as last read or written. */
export interface Version {
  body: string
  etag: string
}

export interface Swap {
  /** The object as last seen: null if it was missing; undefined to read it first. */
  known?: Version | null
  /** Returns the new body, or undefined to leave the object. May be called several times. */
  change(current: Version | undefined): string | undefined | Promise<string | undefined>
  /** Whether this swap wrote a body that is found: the response may have been lost. */
  isOwn(body: string): boolean
  contentType?: string
}

/** How long to retry conflicts, milliseconds. */
const retryTime = 30_000
/** Backoff, doubled each time and jittered, milliseconds. */
const minBackoff = 20
const maxBackoff = 1_000

/**
 * Replaces an object by compare-and-swap on its etag. A write whose response was lost is recognized by its body.
 * @returns the resulting object: written, or left by `change`; undefined if there is none
 * @throws StorageError `precondition_failed`, retryable, when conflicts persist
 */
export async function compareAndSwap(
  bucket: Bucket,
  key: string,
  swap: Swap,
  { clock, random }: Backoff,
): Promise<SwapResult | undefined> {
  const end = clock.now() + retryTime
  let outcome = await attempt(bucket, key, swap, swap.known)
  for (let retry = 0; 'thrown' in outcome; retry++) {
    if (clock.now() >= end) throw outcome.thrown
    await clock.sleep(random() * Math.min(minBackoff * 2 ** retry, maxBackoff))
    outcome = await attempt(bucket, key, { ...swap, isRepeated: true })
  }
  return outcome.standing
}

/** The resulting object, and whether this swap wrote it. */
type SwapResult = Version & { written: boolean }

async function attempt(
  bucket: Bucket,
  key: string,
  { change, isOwn, contentType = 'application/json', isRepeated = false }: Swap & { isRepeated?: boolean },
  known?: Version | null,
): Promise<{ standing: SwapResult | undefined } | { thrown: StorageError }> {
  const seen = known ?? (await readVersion(bucket, key, known))
  if (isRepeated && seen && isOwn(seen.body)) return { standing: { ...seen, written: true } }
  const body = await change(seen ?? undefined)
  if (body === undefined) return { standing: seen ? { ...seen, written: false } : undefined }
  const outcome = await put(bucket, key, body, { contentType, replaces: seen?.etag ?? null })
  return 'thrown' in outcome ? outcome : { standing: { body, etag: outcome.etag, written: true } }
}

/** @param known null if the object is known to be missing */
async function readVersion(bucket: Bucket, key: string, known: null | undefined): Promise<Version | null> {
  if (known === null) return null
  const found = await bucket.find(key)
  return found ? { body: found.body.toString('utf8'), etag: found.etag } : null
}

/** Writes, or returns a retryable failure: a conflict, or a broken connection after which the write may have landed. */
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
    `Could not write s3://${bucket.name}/${key}: other writers kept changing it`,
    { retryable: true, cause },
  )

/**
 * Writes an object if its version matches.
 * @param replaces etag of the version to replace, or null for none
 * @returns the new etag; undefined for another version, which may be this very write after a lost response
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
