import { errorOf } from '../../batch/records/record'
import type { Classification } from '../../classifier/classify'
import type { ErrorCode } from '../../error-codes'
import { hintOf, StorageError, WhisklensError } from '../../errors'
import type { ExifOption } from '../../schema'

/** Message to a classify worker. */
export interface ClassifyTask {
  /** Path of a file, or its bytes. */
  image: string | Uint8Array
  model: string
  engine: string
  /** Number of labels. */
  top: number
  /** `position` includes the GPS position. */
  exif?: ExifOption
}

/** An error as plain data: structured cloning between threads would lose its code. */
export interface Problem {
  code: ErrorCode
  message: string
  hint?: string
}

export type Classified = Classification & { model: string; engine: string }

export interface ClassifyAnswer {
  classified?: Classified
  /** This image failed. */
  error?: Problem
  /** Every image would fail: the model or the engine is missing. */
  fatal?: Problem
}

/** Converts an error: record error codes, plus those of the file system. */
export function problemOf(thrown: unknown): Problem {
  const known = thrown instanceof WhisklensError && !(thrown instanceof StorageError)
  const { code, message } = known ? thrown : errorOf(thrown)
  const hint = known ? hintOf(thrown) : undefined
  return { code, message, ...(hint !== undefined && { hint }) }
}
