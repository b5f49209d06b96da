import * as z from 'zod'
import type { ImageRef } from '../../schema'
import { changeIn, etagOf, isText, known, required, type Shape } from './shape'

/*
 * The shapes of other object stores. None of them encodes keys. Etags are taken only where they are those of the store's
 * S3 interface, through which images are read.
 */

/** What an IBM Cloud Object Storage trigger fires with. */
export const ibmCos: Shape = {
  name: 'IBM Cloud Object Storage event',
  claims: ({ bucket, key }) => typeof bucket === 'string' && typeof key === 'string',
  change: ({ status }) => (status === 'deleted' ? 'removed' : 'created'),
  image: z
    .object({
      ...required,
      file: z
        .object({ ETag: known.etag, Size: known.size, LastModified: known.date })
        .nullish()
        .catch(undefined),
      notification: z
        .object({ object_etag: known.etag, object_length: known.size })
        .nullish()
        .catch(undefined),
    })
    .transform(
      ({ bucket, key, file, notification }): ImageRef => ({
        bucket,
        key,
        etag: etagOf(file?.ETag ?? notification?.object_etag),
        size: file?.Size ?? notification?.object_length ?? undefined,
        lastModified: file?.LastModified ?? undefined,
      }),
    ),
}

export const cloudflareR2: Shape = {
  name: 'Cloudflare R2 event',
  claims: ({ account, action, object }) =>
    account !== undefined && typeof action === 'string' && object !== undefined,
  change: ({ action }) =>
    changeIn(
      action,
      /^(PutObject|CopyObject|CompleteMultipartUpload)$/,
      /^(DeleteObject|LifecycleDeletion)$/,
    ),
  image: z
    .object({
      bucket: required.bucket,
      object: z.object({ key: required.key, size: known.size, eTag: known.etag }),
    })
    .transform(
      ({ bucket, object: { key, size, eTag } }): ImageRef => ({
        bucket,
        key,
        size: size ?? undefined,
        etag: etagOf(eTag),
      }),
    ),
}

export const backblazeB2: Shape = {
  name: 'Backblaze B2 event',
  claims: ({ eventType }) => isText(eventType, /^b2:/),
  change: ({ eventType }) =>
    changeIn(eventType, /^b2:ObjectCreated:/, /^b2:(ObjectDeleted|HideMarkerCreated):/),
  image: z
    .object({ bucketName: required.bucket, objectName: required.key, objectSize: known.size })
    .transform(
      ({ bucketName, objectName, objectSize }): ImageRef => ({
        bucket: bucketName,
        key: objectName,
        size: objectSize ?? undefined,
      }),
    ),
}

/** Of Google Cloud Storage by Eventarc, in the structured form of CloudEvents. */
export const gcsEventarc: Shape = {
  name: 'Google Cloud Storage event of Eventarc',
  claims: ({ type }) => isText(type, /^google\.cloud\.storage\.object\.v1\./),
  change: ({ type }) => changeIn(type, /\.finalized$/, /\.(deleted|archived)$/),
  image: z
    .object({ data: z.object({ bucket: required.bucket, name: required.key, size: known.size }) })
    .transform(
      ({ data: { bucket, name, size } }): ImageRef => ({ bucket, key: name, size: size ?? undefined }),
    ),
}

const attributesOf = (message: unknown): Record<string, unknown> =>
  z.object({ attributes: z.record(z.string(), z.unknown()) }).safeParse(message).data?.attributes ?? {}

/** Of Google Cloud Storage by a push of Pub/Sub: its attributes say all, whether or not the object's metadata go with it. */
export const gcsPubSub: Shape = {
  name: 'Google Cloud Storage event of Pub/Sub',
  claims: ({ message }) => isText(attributesOf(message).eventType, /^OBJECT_/),
  change: ({ message }) =>
    changeIn(attributesOf(message).eventType, /^OBJECT_FINALIZE$/, /^OBJECT_(DELETE|ARCHIVE)$/),
  image: z
    .object({
      message: z.object({ attributes: z.object({ bucketId: required.bucket, objectId: required.key }) }),
    })
    .transform(
      ({ message: { attributes } }): ImageRef => ({
        bucket: attributes.bucketId,
        key: attributes.objectId,
      }),
    ),
}

export const oracle: Shape = {
  name: 'Oracle Object Storage event',
  claims: ({ eventType }) => isText(eventType, /^com\.oraclecloud\.objectstorage\./),
  // An update is an object that was overwritten.
  change: ({ eventType }) => changeIn(eventType, /\.(create|update)object$/, /\.deleteobject$/),
  image: z
    .object({
      data: z.object({
        resourceName: required.key,
        additionalDetails: z.object({ bucketName: required.bucket }),
      }),
    })
    .transform(
      ({ data }): ImageRef => ({ bucket: data.additionalDetails.bucketName, key: data.resourceName }),
    ),
}
