import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../../config'
import { type Access, missingKey } from './access'
import type { Bucket, StoredObject } from './bucket'
import { createBucket, deleteBucket, openBucket } from './bucket-folder'
import { toBinary } from './listing'
import type { S3Request } from './request'
import { s3Error } from './s3-error'

export interface Store {
  folder: string
  region: string
  /** Encryption that every write must request. */
  encryption?: Settings['s3Encryption']
  buckets: Map<string, Bucket>
  /** Called when a bucket was created, and when an object was written or deleted. */
  changed: (bucket: Bucket) => void
}

/** Context of an operation; `payload` is the verified body. */
export interface Call {
  store: Store
  request: S3Request
  /** Access of the key that signed the request. */
  user: Access
  payload: AsyncIterable<Buffer>
}

/** Loads all buckets under `folder`: keys and metadata, not bodies. */
export function openStore(folder: string, region: string, encryption?: Settings['s3Encryption']): Store {
  const store: Store = { folder, region, encryption, buckets: new Map(), changed: () => {} }
  mkdirSync(join(folder, 'buckets'), { recursive: true })
  for (const name of readdirSync(join(folder, 'buckets'))) add(store, name)
  return store
}

export function closeStore({ buckets }: Store): void {
  for (const bucket of buckets.values()) {
    bucket.isClosed = true
    bucket.journal.close()
  }
  buckets.clear()
}

function add(store: Store, name: string): void {
  const bucket = openBucket(name, join(store.folder, 'buckets', name))
  if (!bucket) return
  bucket.changed = () => store.changed(bucket)
  store.buckets.set(name, bucket)
  store.changed(bucket)
}

export function addBucket(store: Store, name: string): void {
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(name)
  if (!/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(name) || name.includes('..') || isAddress) {
    throw s3Error('InvalidBucketName')
  }
  if (store.buckets.has(name)) throw s3Error('BucketAlreadyOwnedByYou')
  createBucket(join(store.folder, 'buckets', name))
  add(store, name)
}

export function removeBucket(store: Store, name: string): void {
  const bucket = bucketOf(store, name)
  if (bucket.keys.length > 0) throw s3Error('BucketNotEmpty')
  store.buckets.delete(name)
  deleteBucket(bucket)
}

export function bucketOf(store: Store, name: string): Bucket {
  const bucket = store.buckets.get(name)
  if (!bucket) throw s3Error('NoSuchBucket')
  return bucket
}

export const findObject = (bucket: Bucket, key: string): StoredObject | undefined =>
  bucket.objects.get(toBinary(key))

export function objectOf(bucket: Bucket, key: string, user: Access): StoredObject {
  const object = findObject(bucket, key)
  if (!object) throw missingKey(user, bucket.name)
  return object
}
