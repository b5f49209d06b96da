import type { HttpError } from '../http-error'
import { isAllowed, type Policy } from './policy'
import { s3Error } from './s3-error'

/** Access of a key: everything for the store's owner, else what its policy allows. */
export interface Access {
  policy?: Policy
}

/** Whether `action` is allowed on an object; on the bucket if `key` is empty; on the store if `bucket` is empty, too. */
export const isPermitted = ({ policy }: Access, action: string, bucket: string, key = ''): boolean =>
  policy === undefined ||
  isAllowed(policy, action, `arn:aws:s3:::${bucket || '*'}${key === '' ? '' : `/${key}`}`)

/** @throws HttpError AccessDenied, regardless of whether the bucket or object exists */
export function requirePermission(access: Access, action: string, bucket: string, key?: string): void {
  if (!isPermitted(access, action, bucket, key)) throw s3Error('AccessDenied')
}

/** Error for a missing object: NoSuchKey only for keys that may list the bucket. */
export const missingKey = (access: Access, bucket: string): HttpError =>
  s3Error(isPermitted(access, 's3:ListBucket', bucket) ? 'NoSuchKey' : 'AccessDenied')
