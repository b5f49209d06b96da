import { type ErrorCode, errorKind, type ImageErrorCode } from './error-codes'

/** Details of an error. */
export interface ErrorDetails {
  /** Whether the same call may succeed later unchanged; defaults to that of the code. */
  retryable?: boolean
  /** What to do, in one sentence; defaults to that of the code, see {@link hintOf}. */
  hint?: string
  cause?: unknown
}

/**
 * The base of all errors. `code` is stable and listed in error-codes.ts; `message` says what happened to which object;
 * `hint` says what to do.
 */
export class WhisklensError extends Error {
  override name = 'WhisklensError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly hint?: string

  constructor(code: ErrorCode, message: string, { retryable, hint, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable ?? errorKind(code).retryable === true
    this.hint = hint
  }
}

/** The hint of an error, or of its code. */
export const hintOf = ({ hint, code }: WhisklensError): string | undefined => hint ?? errorKind(code).hint

/** An image could not be classified. Becomes the `error` of its record. */
export class ImageError extends WhisklensError {
  override name = 'ImageError'
  declare readonly code: ImageErrorCode

  constructor(code: ImageErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, details)
  }
}

/** The object store refused or failed a request. `status` is the HTTP status, 0 without a response. */
export class StorageError extends WhisklensError {
  override name = 'StorageError'
  readonly status: number

  constructor(code: ErrorCode, status: number, message: string, details?: ErrorDetails) {
    super(code, message, details)
    this.status = status
  }
}

/** The OpenWhisk API refused or failed a request. `status` is the HTTP status, 0 without a response. */
export class OpenWhiskError extends WhisklensError {
  override name = 'OpenWhiskError'
  readonly status: number

  /** @param code `tls_untrusted` when the API host's certificate is the reason */
  constructor(status: number, message: string, details?: ErrorDetails, code: ErrorCode = 'openwhisk_error') {
    super(code, message, details)
    this.status = status
  }
}

/** A setting, parameter or file from the user is not valid. */
export class InvalidInputError extends WhisklensError {
  override name = 'InvalidInputError'
}

/** Another activation has taken over the lease; this one must stop. Nothing is lost. */
export class BatchTakenOverError extends WhisklensError {
  override name = 'BatchTakenOverError'

  constructor(batch: string) {
    super('batch_taken_over', `Another activation has taken over the batch "${batch}"`)
  }
}

/** The message of any thrown value. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
