import { requirePermission } from './access'
import * as bucket from './bucket-operations'
import * as cors from './cors-operations'
import * as multipart from './multipart-operations'
import * as object from './object-operations'
import type { S3Request, S3Response } from './request'
import { s3Error } from './s3-error'
import type { Call } from './store'
import * as tagging from './tagging'

type Operation = (call: Call) => S3Response | Promise<S3Response>

/**
 * Operations by method, path level and distinguishing query parameter, with the action that a policy must allow on the bucket or
 * object in the path. Operations check further permissions themselves.
 */
const operations: Record<string, [Operation, string?]> = {
  'GET /': [bucket.listBuckets, 's3:ListAllMyBuckets'],
  'PUT bucket': [bucket.createBucket, 's3:CreateBucket'],
  'HEAD bucket': [bucket.headBucket, 's3:ListBucket'],
  'DELETE bucket': [bucket.deleteBucket, 's3:DeleteBucket'],
  'GET bucket': [bucket.listObjects, 's3:ListBucket'],
  'GET bucket?location': [bucket.getLocation, 's3:GetBucketLocation'],
  'GET bucket?cors': [cors.getCors, 's3:GetBucketCORS'],
  'PUT bucket?cors': [cors.putCors, 's3:PutBucketCORS'],
  'DELETE bucket?cors': [cors.deleteCors, 's3:PutBucketCORS'],
  'GET bucket?uploads': [multipart.listUploads, 's3:ListBucketMultipartUploads'],
  'POST bucket?delete': [bucket.deleteObjects],
  'PUT object': [object.putObject, 's3:PutObject'],
  'PUT object from': [object.copyObject, 's3:PutObject'],
  'GET object': [object.getObject, 's3:GetObject'],
  'HEAD object': [object.getObject, 's3:GetObject'],
  'DELETE object': [object.deleteObject, 's3:DeleteObject'],
  'GET object?tagging': [tagging.getTagging, 's3:GetObjectTagging'],
  'PUT object?tagging': [tagging.putTagging, 's3:PutObjectTagging'],
  'DELETE object?tagging': [tagging.deleteTagging, 's3:DeleteObjectTagging'],
  'POST object?uploads': [multipart.createUpload, 's3:PutObject'],
  'PUT object?uploadId': [multipart.uploadPart, 's3:PutObject'],
  'PUT object?uploadId from': [multipart.uploadPartCopy, 's3:PutObject'],
  'POST object?uploadId': [multipart.completeUpload, 's3:PutObject'],
  'DELETE object?uploadId': [multipart.abortUpload, 's3:AbortMultipartUpload'],
  'GET object?uploadId': [multipart.listParts, 's3:ListMultipartUploadParts'],
}

/** All subresource parameters of S3. Unsupported ones are refused rather than ignored. */
const subresources =
  'accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging metrics notification object-lock ownershipControls partNumber policy policyStatus publicAccessBlock replication requestPayment restore retention select tagging torrent uploadId uploads versionId versioning versions website'.split(
    ' ',
  )

/** The operation of a request, and its action in policies. */
function operationOf({ method, bucket, key, query, headers }: S3Request): [Operation, string?] {
  const level = key !== '' ? 'object' : bucket !== '' ? 'bucket' : '/'
  const isPart = query.has('uploadId')
  const subresource = isPart ? 'uploadId' : subresources.find((name) => query.has(name))
  const from = method === 'PUT' && headers['x-amz-copy-source'] !== undefined ? ' from' : ''
  const operation = operations[`${method} ${level}${subresource ? `?${subresource}` : ''}${from}`]
  if (operation) return operation
  throw s3Error(subresource ? 'NotImplemented' : 'MethodNotAllowed')
}

/** Runs the operation of a request if its key is allowed to. */
export async function answer(call: Call): Promise<S3Response> {
  const { request, user } = call
  const [operation, action] = operationOf(request)
  if (action !== undefined) requirePermission(user, action, request.bucket, request.key)
  return await operation(call)
}
