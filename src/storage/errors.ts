import type { ErrorCode } from '../error-codes'
import { messageOf, StorageError } from '../errors'
import { hintIfUntrusted } from '../trust'

interface SdkError {
  code?: string
  statusCode?: number
  retryable?: boolean
  message?: string
}

/** Errors of temporary credentials, which AWS reports with status 400. */
const isTokenError = (code = ''): boolean => ['ExpiredToken', 'InvalidToken'].includes(code)

/** Average backoff before the first retry, milliseconds. */
const minBackoff = 25

/**
 * Exponential, jittered backoff before a retry.
 * @returns milliseconds; negative, which ends the retries, for an untrusted certificate or an invalid session token
 */
export function backoffBefore(retry: number, thrown?: Error): number {
  const isFinal = hintIfUntrustedStore(thrown) || isTokenError((thrown as SdkError | undefined)?.code)
  return isFinal ? -1 : Math.random() * 2 * minBackoff * 2 ** retry
}

/** Only without a status: one proves that the connection was trusted. */
const hintIfUntrustedStore = (thrown: unknown): string | undefined =>
  (thrown as SdkError | undefined)?.statusCode ? undefined : hintIfUntrusted(messageOf(thrown))

/** Our code for an error of the store. */
function codeOf({ code, statusCode, message = '' }: SdkError, tooLarge: boolean): ErrorCode {
  if (tooLarge) return 'object_too_large'
  if (code === 'InvalidObjectState') return 'object_archived'
  // The response to a request without the customer-provided key of the object.
  if (statusCode === 400 && /server.side encryption/i.test(message)) return 'object_encrypted'
  if (code === 'NoSuchBucket') return 'bucket_not_found'
  if (code === 'NoSuchUpload') return 'upload_not_found'
  if (code === 'NotImplemented' || statusCode === 501) return 'not_implemented'
  if (code === 'NoSuchKey' || statusCode === 404) return 'object_not_found'
  if (statusCode === 412 || (statusCode === 409 && code === 'ConditionalRequestConflict'))
    return 'precondition_failed'
  if (statusCode === 403 || statusCode === 401 || isTokenError(code)) return 'access_denied'
  return 'store_failed'
}

const tokenHint =
  'Deploy again with new temporary credentials; WHISKLENS_S3_SESSION_TOKEN is only valid with its own two keys.'

/**
 * Converts an error of the SDK.
 * @param action that was attempted
 * @param declaredSize of an object that was refused for its size
 */
export function asStorageError(thrown: unknown, action: string, declaredSize?: number): StorageError {
  if (thrown instanceof StorageError) return thrown
  const untrusted = hintIfUntrustedStore(thrown)
  if (untrusted) {
    const message = `Could not ${action}: the store's certificate is not trusted: ${messageOf(thrown)}`
    return new StorageError('tls_untrusted', 0, message, { cause: thrown, hint: untrusted })
  }
  const error = thrown as SdkError
  const status = error.statusCode ?? 0
  const code = codeOf(error, declaredSize !== undefined)
  const detail =
    declaredSize === undefined
      ? `${error.code ?? ''} ${messageOf(thrown) ?? ''}`.trim()
      : `${declaredSize} bytes`
  return new StorageError(code, status, `Could not ${action}: ${detail}`, {
    cause: thrown,
    hint: isTokenError(error.code) ? tokenHint : undefined,
    retryable:
      code === 'store_failed' &&
      // A name that cannot be encoded never will be.
      !(thrown instanceof URIError) &&
      (error.retryable === true || status === 0 || status >= 500 || status === 429),
  })
}
