import { createHash } from 'node:crypto'
import type { AWSError, Request } from 'ibm-cos-sdk'
import type S3 from 'ibm-cos-sdk/clients/s3'
import { StorageError } from '../errors'
import { asStorageError } from './errors'

/** The minimum of S3 for all parts but the last. */
export const partBytes = 5 * 1024 * 1024

/**
 * Multipart uploads. Any process can continue one by its id. Every method throws StorageError, `upload_not_found` when
 * the upload was completed or aborted.
 */
export interface Multipart {
  /** @returns the upload's id */
  beginUpload(key: string, contentType: string): Promise<string>
  /**
   * Uploads a part, replacing an earlier one of that number.
   * @param number from 1 to 10,000
   * @returns the part's etag
   */
  uploadPart(key: string, upload: string, number: number, body: Buffer): Promise<string>
  /**
   * Copies an object of the same bucket as a part, without reading it.
   * @returns the part's etag
   */
  copyPart(key: string, upload: string, number: number, from: string): Promise<string>
  /**
   * Completes an upload: the object exists from then on.
   * @param etags of all parts, in order
   * @param replaces etag of the version to replace, or null for none; stores without conditional writes ignore it
   * @throws StorageError `precondition_failed` for another version
   */
  completeUpload(key: string, upload: string, etags: string[], replaces?: string | null): Promise<void>
  /** Aborts an upload and deletes its parts; a missing one is not an error. */
  abortUpload(key: string, upload: string): Promise<void>
}

/** The etag that S3 computes for a multipart object. */
export const multipartEtag = (etags: string[]): string => {
  const bytes = Buffer.concat(etags.map((etag) => Buffer.from(etag, 'hex')))
  return `${createHash('md5').update(bytes).digest('hex')}-${etags.length}`
}

/** An etag without its quotes. */
export const unquote = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '')

/** Sets the precondition of a write by header: the SDK supports `If-None-Match` for some requests only. */
export function setPrecondition(
  request: Request<unknown, AWSError>,
  replaces: string | null | undefined,
): void {
  request.on('build', () => {
    if (replaces === null) request.httpRequest.headers['If-None-Match'] = '*'
    else if (replaces !== undefined) request.httpRequest.headers['If-Match'] = `"${replaces}"`
  })
}

/** The uploads of one bucket. */
export function openMultipart(s3: S3, bucket: string): Multipart {
  const at = (key: string, UploadId: string) => ({ Bucket: bucket, Key: key, UploadId })
  const failed = (action: string, key: string) => (thrown: unknown) => {
    throw asStorageError(thrown, `${action} s3://${bucket}/${key}`)
  }
  const hasCode = (thrown: unknown, code: string): boolean =>
    thrown instanceof StorageError && thrown.code === code
  const isGone = (thrown: unknown): boolean => hasCode(thrown, 'upload_not_found')

  return {
    beginUpload: async (key, contentType) => {
      const answer = await s3
        .createMultipartUpload({ Bucket: bucket, Key: key, ContentType: contentType })
        .promise()
        .catch(failed('begin', key))
      return answer.UploadId ?? ''
    },
    uploadPart: async (key, upload, number, body) => {
      const answer = await s3
        .uploadPart({ ...at(key, upload), PartNumber: number, Body: body })
        .promise()
        .catch(failed('write', key))
      return unquote(answer.ETag)
    },
    copyPart: async (key, upload, number, from) => {
      const CopySource = [bucket, ...from.split('/')].map(encodeURIComponent).join('/')
      const { CopyPartResult } = await s3
        .uploadPartCopy({ ...at(key, upload), PartNumber: number, CopySource })
        .promise()
        .catch(failed('copy to', key))
      return unquote(CopyPartResult?.ETag)
    },
    completeUpload: async (key, upload, etags, replaces) => {
      const Parts = etags.map((etag, index) => ({ PartNumber: index + 1, ETag: `"${etag}"` }))
      const complete = async (demanded: string | null | undefined): Promise<void> => {
        const request = s3.completeMultipartUpload({ ...at(key, upload), MultipartUpload: { Parts } })
        setPrecondition(request, demanded)
        await request.promise().catch(failed('complete', key))
      }
      try {
        await complete(replaces).catch((thrown) => {
          // The store does not support conditional writes.
          if (!hasCode(thrown, 'not_implemented')) throw thrown
          return complete(undefined)
        })
      } catch (thrown) {
        if (!isGone(thrown) && !hasCode(thrown, 'precondition_failed')) throw thrown
        // When a request is retried after a lost response, the first attempt may have completed the upload.
        const current = await s3
          .headObject({ Bucket: bucket, Key: key })
          .promise()
          .catch(() => undefined)
        if (unquote(current?.ETag) !== multipartEtag(etags)) throw thrown
      }
    },
    abortUpload: async (key, upload) => {
      await s3
        .abortMultipartUpload(at(key, upload))
        .promise()
        .catch(failed('abort', key))
        .catch((thrown) => {
          if (!isGone(thrown)) throw thrown
        })
    },
  }
}
