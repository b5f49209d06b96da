import { errorOf } from '../../batch/records/record'
import type { Classification } from '../../classifier/classify'
import type { ErrorCode } from '../../error-codes'
import { hintOf, StorageError, WhisklensError } from '../../errors'
import type { ExifOption } from '../../schema'

/** What a worker of `whisklens classify` is given. */
export interface ClassifyTask {
  /** A file's path, or the bytes themselves. */
  image: string | Uint8Array
  model: string
  engine: string
  /** How many labels to keep. */
  top: number
  /** `position`: where photos were taken is told, too. */
  exif?: ExifOption
}

/** An error as data: what is thrown loses its code on the way between threads. */
export interface Problem {
  code: ErrorCode
  message: string
  hint?: string
}

export type Classified = Classification & { model: string; engine: string }

export interface ClassifyAnswer {
  classified?: Classified
  /** This image cannot be classified. */
  error?: Problem
  /** No image can be classified: the model or the engine is missing. */
  fatal?: Problem
}

/** As in a batch: a larger file is no photo, and a folder's worst one must not decide what memory is needed. */
export const maxImageBytes = 64 * 1024 * 1024

/** What is said of an image's failure: the codes of records, and those of the file system. */
export function problemOf(thrown: unknown): Problem {
  const known = thrown instanceof WhisklensError && !(thrown instanceof StorageError)
  const { code, message } = known ? thrown : errorOf(thrown)
  const hint = known ? hintOf(thrown) : undefined
  return { code, message, ...(hint !== undefined && { hint }) }
}
