import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CorsRule } from './cors'
import type { Journal } from './journal'
import { lowerBound, toBinary } from './listing'
import { s3Error } from './s3-error'

/** A file of bytes under the bucket's `bodies/`; it is not visible until a journal line names it. */
export interface Body {
  file: string
  size: number
  etag: string
  /** Milliseconds, but whole seconds, as in S3. */
  modified: number
}

export interface StoredObject extends Body {
  key: string
  /** What is answered with the object: Content-Type and its kin, x-amz-meta-*. */
  headers: Record<string, string>
  /** How it came to be, as S3 events name it. */
  via: 'Put' | 'Copy' | 'CompleteMultipartUpload'
  tags?: Record<string, string>
}

export interface Part extends Body {
  number: number
}

export interface Upload {
  id: string
  key: string
  headers: Record<string, string>
  tags?: Record<string, string>
  initiated: number
  parts: Map<number, Part>
}

/** What one journal line says. */
export type Change =
  | { created: number }
  /** Ends the upload `from` which it was assembled, if any, in the same line. */
  | { put: StoredObject; from?: string }
  | { remove: string; at: number }
  /** Replaces the tags of the object of a key. */
  | { tag: string; tags: Record<string, string> }
  | { upload: Omit<Upload, 'parts'> }
  | { part: Part; of: string }
  | { abort: string }
  /** Replaces the bucket's rules for pages of other origins; null takes them away. */
  | { cors: CorsRule[] | null }
  /** The events up to this `n` were delivered; null when the bucket is not watched. */
  | { acknowledged: number | null }

/** A change and its number, which only ever grows. */
export type Numbered = Change & { n: number }

export interface Bucket {
  name: string
  folder: string
  created: number
  journal: Journal<Numbered>
  n: number
  /** By binary key; `keys` holds the same keys, sorted. */
  objects: Map<string, StoredObject & { n: number; taggedAt?: number }>
  keys: string[]
  uploads: Map<string, Upload>
  acknowledged: number | null
  cors?: CorsRule[]
  /** Deleted, or the store is shut: nothing can be written any more. */
  isClosed: boolean
  /** Called after an object was written or removed. */
  changed: () => void
}

export const bodyPath = (bucket: Bucket, file: string): string => join(bucket.folder, 'bodies', file)

function endUpload(bucket: Bucket, id: string | undefined): Body[] {
  const parts = id === undefined ? undefined : bucket.uploads.get(id)?.parts.values()
  if (id !== undefined) bucket.uploads.delete(id)
  return [...(parts ?? [])]
}

/** Brings the maps of `bucket` up to date with one line; returns the bodies that nothing refers to any more. */
export function apply(bucket: Bucket, change: Numbered): Body[] {
  bucket.n = change.n
  if ('put' in change) {
    const binary = toBinary(change.put.key)
    const replaced = bucket.objects.get(binary)
    bucket.objects.set(binary, { ...change.put, n: change.n })
    return [...(replaced ? [replaced] : []), ...endUpload(bucket, change.from)]
  }
  if ('remove' in change) {
    const binary = toBinary(change.remove)
    const removed = bucket.objects.get(binary)
    bucket.objects.delete(binary)
    return removed ? [removed] : []
  }
  if ('part' in change) {
    const parts = bucket.uploads.get(change.of)?.parts
    const replaced = parts?.get(change.part.number)
    parts?.set(change.part.number, change.part)
    return replaced ? [replaced] : []
  }
  if ('abort' in change) return endUpload(bucket, change.abort)
  describe(bucket, change)
  return []
}

/** A line that makes no body useless. */
function describe(bucket: Bucket, change: Numbered): void {
  if ('upload' in change) bucket.uploads.set(change.upload.id, { ...change.upload, parts: new Map() })
  else if ('tag' in change)
    Object.assign(bucket.objects.get(toBinary(change.tag)) ?? {}, { tags: change.tags, taggedAt: change.n })
  else if ('cors' in change) bucket.cors = change.cors ?? undefined
  else if ('created' in change) bucket.created = change.created
  else if ('acknowledged' in change) bucket.acknowledged = change.acknowledged
}

/**
 * The one way to change a bucket: the change is in effect when its journal line is written, for this process and for
 * the one after it. Runs without a pause, so that what the caller checked just before still holds.
 */
export function commit(bucket: Bucket, change: Change): void {
  if (bucket.isClosed) throw s3Error('NoSuchBucket')
  const numbered: Numbered = { n: bucket.n + 1, ...change }
  bucket.journal.append(numbered)
  const unused = apply(bucket, numbered)
  // A file that stays behind is swept at the next start.
  for (const { file } of unused) rm(bodyPath(bucket, file), { force: true }).catch(() => {})
  if (!('put' in change || 'remove' in change)) return
  const binary = toBinary('put' in change ? change.put.key : change.remove)
  const at = lowerBound(bucket.keys, binary)
  if ('remove' in change) bucket.keys.splice(at, 1)
  else if (bucket.keys[at] !== binary) bucket.keys.splice(at, 0, binary)
  bucket.changed()
}
