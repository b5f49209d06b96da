import { encryptionSchema } from '../../config'
import { header } from './request'
import { s3Error } from './s3-error'
import type { Call } from './store'

const prefix = 'x-amz-server-side-encryption'
const keyId = `${prefix}-aws-kms-key-id`

/**
 * Encryption headers of a write, stored with the object and returned. Bytes on disk are not encrypted: this is for testing
 * clients.
 * @throws HttpError AccessDenied if the store requires another encryption, as a bucket policy could
 */
export function encryptionOf({ request, store }: Call): Record<string, string> {
  const algorithm = header(request, prefix)
  const key = header(request, keyId)
  if (Object.keys(request.headers).some((name) => name.startsWith(`${prefix}-customer-`))) {
    throw s3Error('NotImplemented', 'Customer-provided keys are not supported')
  }
  if (algorithm !== undefined && !encryptionSchema.safeParse(algorithm).success) {
    throw s3Error('InvalidArgument', 'The encryption method specified is not supported')
  }
  if (key !== undefined && algorithm !== 'aws:kms') {
    throw s3Error('InvalidArgument', 'A KMS key id requires aws:kms')
  }
  if (store.encryption !== undefined && store.encryption !== algorithm) throw s3Error('AccessDenied')
  return { ...(algorithm && { [prefix]: algorithm }), ...(key && { [keyId]: key }) }
}

/** Encryption headers of an object; copies do not inherit them. */
export const encryptionIn = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(prefix)))

/** Headers of an object without encryption headers. */
export const withoutEncryption = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(prefix)))

/** Whether the etag is not the MD5 of the bytes, as with KMS. */
export const hasOpaqueEtag = (headers: Record<string, string>): boolean => headers[prefix] === 'aws:kms'
