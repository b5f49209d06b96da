import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CorsRule } from './cors'
import type { Journal } from './journal'
import { lowerBound, toBinary } from './listing'
import { s3Error } from './s3-error'

/** A file in the bucket's `bodies/`; invisible until a journal line refers to it. */
export interface Body {
  file: string
  size: number
  etag: string
  /** Milliseconds, rounded to whole seconds as in S3. */
  modified: number
}

export interface StoredObject extends Body {
  key: string
  /** Headers returned with the object: Content-Type and the like, x-amz-meta-*. */
  headers: Record<string, string>
  /** Event name in S3 notifications. */
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

/** A journal line. */
export type Change =
  | { created: number }
  /** `from` is the multipart upload that this line also completes. */
  | { put: StoredObject; from?: string }
  | { remove: string; at: number }
  /** Replaces the tags of an object. */
  | { tag: string; tags: Record<string, string> }
  | { upload: Omit<Upload, 'parts'> }
  | { part: Part; of: string }
  | { abort: string }
  /** Replaces the CORS rules; null removes them. */
  | { cors: CorsRule[] | null }
  /** Events up to this `n` are delivered; null if the bucket is not watched. */
  | { acknowledged: number | null }

/** A change with its sequence number, which only grows. */
export type Numbered = Change & { n: number }

export interface Bucket {
  name: string
  folder: string
  created: number
  journal: Journal<Numbered>
  n: number
  /** By binary key; `keys` has the same keys, sorted. */
  objects: Map<string, StoredObject & { n: number; taggedAt?: number }>
  keys: string[]
  uploads: Map<string, Upload>
  acknowledged: number | null
  cors?: CorsRule[]
  /** The bucket is deleted or the store closed: no more writes. */
  isClosed: boolean
  /** Called after an object was written or deleted. */
  changed: () => void
}

export const bodyPath = (bucket: Bucket, file: string): string => join(bucket.folder, 'bodies', file)

function endUpload(bucket: Bucket, id: string | undefined): Body[] {
  const parts = id === undefined ? undefined : bucket.uploads.get(id)?.parts.values()
  if (id !== undefined) bucket.uploads.delete(id)
  return [...(parts ?? [])]
}

/** Applies a journal line to the maps. @returns bodies that are no longer referenced */
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

/** Applies a line that leaves no body unreferenced. */
function describe(bucket: Bucket, change: Numbered): void {
  if ('upload' in change) bucket.uploads.set(change.upload.id, { ...change.upload, parts: new Map() })
  else if ('tag' in change)
    Object.assign(bucket.objects.get(toBinary(change.tag)) ?? {}, { tags: change.tags, taggedAt: change.n })
  else if ('cors' in change) bucket.cors = change.cors ?? undefined
  else if ('created' in change) bucket.created = change.created
  else if ('acknowledged' in change) bucket.acknowledged = change.acknowledged
}

/**
 * Commits a change: it takes effect, also for later processes, when its journal line is written. Synchronous, so that the
 * caller's checks still hold.
 */
export function commit(bucket: Bucket, change: Change): void {
  if (bucket.isClosed) throw s3Error('NoSuchBucket')
  const numbered: Numbered = { n: bucket.n + 1, ...change }
  bucket.journal.append(numbered)
  const unused = apply(bucket, numbered)
  // Files that cannot be deleted are swept at the next start.
  for (const { file } of unused) rm(bodyPath(bucket, file), { force: true }).catch(() => {})
  if (!('put' in change || 'remove' in change)) return
  const binary = toBinary('put' in change ? change.put.key : change.remove)
  const at = lowerBound(bucket.keys, binary)
  if ('remove' in change) bucket.keys.splice(at, 1)
  else if (bucket.keys[at] !== binary) bucket.keys.splice(at, 0, binary)
  bucket.changed()
}
