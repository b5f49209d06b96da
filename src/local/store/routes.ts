import * as bucket from './bucket-operations'
import * as multipart from './multipart-operations'
import * as object from './object-operations'
import type { Answer, S3Request } from './request'
import { s3Error } from './s3-error'
import type { Call } from './store'

type Operation = (call: Call) => Answer | Promise<Answer>

/** Method, what the path names, and the query parameter that makes it another operation. */
const operations: Record<string, Operation> = {
  'GET /': bucket.listBuckets,
  'PUT bucket': bucket.createBucket,
  'HEAD bucket': bucket.headBucket,
  'DELETE bucket': bucket.deleteBucket,
  'GET bucket': bucket.listObjects,
  'GET bucket?location': bucket.getLocation,
  'GET bucket?uploads': multipart.listUploads,
  'POST bucket?delete': bucket.deleteObjects,
  'PUT object': object.putObject,
  'PUT object from': object.copyObject,
  'GET object': object.getObject,
  'HEAD object': object.getObject,
  'DELETE object': object.deleteObject,
  'POST object?uploads': multipart.createUpload,
  'PUT object?uploadId': multipart.uploadPart,
  'PUT object?uploadId from': multipart.uploadPartCopy,
  'POST object?uploadId': multipart.completeUpload,
  'DELETE object?uploadId': multipart.abortUpload,
  'GET object?uploadId': multipart.listParts,
}

/** Every such parameter of S3: to answer one that is not in the table as if it were not there would be a lie. */
const subresources =
  'accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging metrics notification object-lock ownershipControls partNumber policy policyStatus publicAccessBlock replication requestPayment restore retention select tagging torrent uploadId uploads versionId versioning versions website'.split(
    ' ',
  )

/** The operation a request asks for. */
export function operationOf({ method, bucket, key, query, headers }: S3Request): Operation {
  const level = key !== '' ? 'object' : bucket !== '' ? 'bucket' : '/'
  const isPart = query.has('uploadId')
  const subresource = isPart ? 'uploadId' : subresources.find((name) => query.has(name))
  const from = method === 'PUT' && headers['x-amz-copy-source'] !== undefined ? ' from' : ''
  const operation = operations[`${method} ${level}${subresource ? `?${subresource}` : ''}${from}`]
  if (operation) return operation
  throw s3Error(subresource ? 'NotImplemented' : 'MethodNotAllowed')
}
