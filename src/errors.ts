import { type ErrorCode, errorKind, type ImageErrorCode } from './error-codes'

/** What every error of Whisklens carries beyond its message. */
export interface ErrorDetails {
  /** Whether the same call may succeed later without anything being changed; unless given, what the table says. */
  retryable?: boolean
  /** What the reader can do about it, as one sentence; unless given, see {@link hintOf}. */
  hint?: string
  cause?: unknown
}

/**
 * The base of all errors of this project. `code` is of the table in error-codes.ts, stable and meant for scripts; `message` says what happened and
 * to which object; `hint` says what to do.
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

/** What to do about an error: what it says itself, or else what the table says of its code. */
export const hintOf = ({ hint, code }: WhisklensError): string | undefined => hint ?? errorKind(code).hint

/** One image could not be classified; becomes the `error` of its record. */
export class ImageError extends WhisklensError {
  override name = 'ImageError'
  declare readonly code: ImageErrorCode

  constructor(code: ImageErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, details)
  }
}

/** The object store refused or failed a request. `status` is the HTTP status, 0 when there was no answer. */
export class StorageError extends WhisklensError {
  override name = 'StorageError'
  readonly status: number

  constructor(code: ErrorCode, status: number, message: string, details?: ErrorDetails) {
    super(code, message, details)
    this.status = status
  }
}

/** The OpenWhisk API refused or failed a request. `status` is the HTTP status, 0 when there was no answer. */
export class OpenWhiskError extends WhisklensError {
  override name = 'OpenWhiskError'
  readonly status: number

  /** @param code `tls_untrusted` when the API host's certificate is the reason */
  constructor(status: number, message: string, details?: ErrorDetails, code: ErrorCode = 'openwhisk_error') {
    super(code, message, details)
    this.status = status
  }
}

/** A setting, parameter or file given by the user does not hold what it must. */
export class InvalidInputError extends WhisklensError {
  override name = 'InvalidInputError'
}

/** Another activation has taken charge of a batch; this one has to stop. Nothing is lost by it. */
export class BatchTakenOverError extends WhisklensError {
  override name = 'BatchTakenOverError'

  constructor(batch: string) {
    super('batch_taken_over', `Another activation has taken charge of the batch "${batch}"`)
  }
}

/** The message of anything that was thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
