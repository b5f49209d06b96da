import * as z from 'zod'
import type { ImageRef } from '../../schema'
import { changeIn, isText, normalizeEtag, optional, required, type Shape } from './shape'

/*
 * Event shapes of other object stores. None of them encodes keys. Etags are used only where they are those of the
 * store's S3 interface, through which images are read.
 */

/** The event of an IBM Cloud Object Storage trigger. */
export const ibmCos: Shape = {
  name: 'IBM Cloud Object Storage event',
  matches: ({ bucket, key }) => typeof bucket === 'string' && typeof key === 'string',
  change: ({ status }) => (status === 'deleted' ? 'removed' : 'created'),
  image: z
    .object({
      ...required,
      file: z
        .object({ ETag: optional.etag, Size: optional.size, LastModified: optional.date })
        .nullish()
        .catch(undefined),
      notification: z
        .object({ object_etag: optional.etag, object_length: optional.size })
        .nullish()
        .catch(undefined),
    })
    .transform(
      ({ bucket, key, file, notification }): ImageRef => ({
        bucket,
        key,
        etag: normalizeEtag(file?.ETag ?? notification?.object_etag),
        size: file?.Size ?? notification?.object_length ?? undefined,
        lastModified: file?.LastModified ?? undefined,
      }),
    ),
}

export const cloudflareR2: Shape = {
  name: 'Cloudflare R2 event',
  matches: ({ account, action, object }) =>
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
      object: z.object({ key: required.key, size: optional.size, eTag: optional.etag }),
    })
    .transform(
      ({ bucket, object: { key, size, eTag } }): ImageRef => ({
        bucket,
        key,
        size: size ?? undefined,
        etag: normalizeEtag(eTag),
      }),
    ),
}

export const backblazeB2: Shape = {
  name: 'Backblaze B2 event',
  matches: ({ eventType }) => isText(eventType, /^b2:/),
  change: ({ eventType }) =>
    changeIn(eventType, /^b2:ObjectCreated:/, /^b2:(ObjectDeleted|HideMarkerCreated):/),
  image: z
    .object({ bucketName: required.bucket, objectName: required.key, objectSize: optional.size })
    .transform(
      ({ bucketName, objectName, objectSize }): ImageRef => ({
        bucket: bucketName,
        key: objectName,
        size: objectSize ?? undefined,
      }),
    ),
}

/** Google Cloud Storage via Eventarc, as structured CloudEvents. */
export const gcsEventarc: Shape = {
  name: 'Google Cloud Storage event of Eventarc',
  matches: ({ type }) => isText(type, /^google\.cloud\.storage\.object\.v1\./),
  change: ({ type }) => changeIn(type, /\.finalized$/, /\.(deleted|archived)$/),
  image: z
    .object({ data: z.object({ bucket: required.bucket, name: required.key, size: optional.size }) })
    .transform(
      ({ data: { bucket, name, size } }): ImageRef => ({ bucket, key: name, size: size ?? undefined }),
    ),
}

const attributesOf = (message: unknown): Record<string, unknown> =>
  z.object({ attributes: z.record(z.string(), z.unknown()) }).safeParse(message).data?.attributes ?? {}

/** Google Cloud Storage via Pub/Sub push: the attributes suffice, with or without the object's metadata. */
export const gcsPubSub: Shape = {
  name: 'Google Cloud Storage event of Pub/Sub',
  matches: ({ message }) => isText(attributesOf(message).eventType, /^OBJECT_/),
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
  matches: ({ eventType }) => isText(eventType, /^com\.oraclecloud\.objectstorage\./),
  // An update is an overwritten object.
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
