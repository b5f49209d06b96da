import type { HttpError } from '../http-error'
import { isAllowed, type Policy } from './policy'
import { s3Error } from './s3-error'

/** What a key may do: everything, for the store's owner, or what its policy allows. */
export interface Access {
  policy?: Policy
}

/** Whether `action` is allowed on an object; on the bucket where `key` is empty; on the store where `bucket` is, too. */
export const may = ({ policy }: Access, action: string, bucket: string, key = ''): boolean =>
  policy === undefined ||
  isAllowed(policy, action, `arn:aws:s3:::${bucket || '*'}${key === '' ? '' : `/${key}`}`)

/** @throws HttpError AccessDenied, whether or not the bucket or object exists */
export function demand(access: Access, action: string, bucket: string, key?: string): void {
  if (!may(access, action, bucket, key)) throw s3Error('AccessDenied')
}

/** The answer for a missing object: NoSuchKey only to keys that may list the bucket. */
export const missingKey = (access: Access, bucket: string): HttpError =>
  s3Error(may(access, 's3:ListBucket', bucket) ? 'NoSuchKey' : 'AccessDenied')
