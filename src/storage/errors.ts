import { messageOf, StorageError } from '../errors'

interface SdkError {
  code?: string
  statusCode?: number
  retryable?: boolean
}

/** Codes of the store's errors, by what its answer says. */
function codeOf({ code, statusCode }: SdkError, tooLarge: boolean): string {
  if (tooLarge) return 'object_too_large'
  if (code === 'NoSuchBucket') return 'bucket_not_found'
  if (code === 'NoSuchUpload') return 'upload_not_found'
  if (code === 'NoSuchKey' || statusCode === 404) return 'object_not_found'
  if (statusCode === 412 || (statusCode === 409 && code === 'ConditionalRequestConflict'))
    return 'precondition_failed'
  if (statusCode === 403 || statusCode === 401) return 'access_denied'
  return 'store_failed'
}

const hints: Record<string, string> = {
  bucket_not_found: 'Create the bucket, or check WHISKLENS_IMAGES_BUCKET and WHISKLENS_RESULTS_BUCKET.',
  access_denied: 'Check WHISKLENS_S3_ACCESS_KEY_ID, its secret and what its policy allows.',
}

/**
 * Turns what the SDK threw into a StorageError that says what was tried.
 * @param declaredSize given when the object was refused for its size
 */
export function asStorageError(thrown: unknown, action: string, declaredSize?: number): StorageError {
  if (thrown instanceof StorageError) return thrown
  const error = thrown as SdkError
  const status = error.statusCode ?? 0
  const code = codeOf(error, declaredSize !== undefined)
  const detail =
    declaredSize === undefined ? `${error.code ?? ''} ${messageOf(thrown)}`.trim() : `${declaredSize} bytes`
  return new StorageError(code, status, `Could not ${action}: ${detail}`, {
    cause: thrown,
    hint: hints[code],
    retryable:
      code === 'store_failed' &&
      (error.retryable === true || status === 0 || status >= 500 || status === 429),
  })
}
