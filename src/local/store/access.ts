import type { HttpError } from '../../errors'
import { isAllowed, type Policy } from './policy'
import { s3Error } from './s3-error'

/** The owner of the store, or a key that is limited by a policy. */
export interface Access {
  policy?: Policy
}

/** Whether a key may do `action` to an object, to a bucket where `key` is empty, or to the store where `bucket` is, too. */
export const may = ({ policy }: Access, action: string, bucket: string, key = ''): boolean =>
  policy === undefined ||
  isAllowed(policy, action, `arn:aws:s3:::${bucket || '*'}${key === '' ? '' : `/${key}`}`)

/** @throws HttpError AccessDenied unless the key may do it; whether the bucket or object exists is not told */
export function demand(access: Access, action: string, bucket: string, key?: string): void {
  if (!may(access, action, bucket, key)) throw s3Error('AccessDenied')
}

/** What a missing object is answered with: only a key that may list the bucket learns that it is not there. */
export const missingKey = (access: Access, bucket: string): HttpError =>
  s3Error(may(access, 's3:ListBucket', bucket) ? 'NoSuchKey' : 'AccessDenied')
