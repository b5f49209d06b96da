import type * as z from 'zod'
import type * as library from '../../src'
import type { querySchema } from '../../src/batch/reports/query'
import type { Classified } from '../../src/library/classify/task'
import type * as schema from '../../src/schema'

/*
 * The library's public types are written without zod, so that programs do not need it. This file only compiles if they
 * match the schemas.
 */

/** Whether two types are the same, optional fields included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Parameters of `start-batch` that are not public: internal calls, and those that the library has functions for. */
type Internal = 'dryRun' | 'cancel' | 'retry' | 'reconcile' | 'poll' | 'chunkSize'

export const checks: true[] = [
  true satisfies Same<library.ImageRecord, schema.ImageRecord>,
  true satisfies Same<library.BatchSummary, schema.BatchSummary>,
  true satisfies Same<library.Classification, Pick<Classified, keyof Classified>>,
  true satisfies Same<keyof library.BatchRequest, Exclude<keyof schema.BatchRequest, Internal>>,
  // Dates are sent as ISO 8601 text.
  true satisfies Omit<library.BatchRequest, 'since' | 'until'> extends z.input<
    typeof schema.batchRequestSchema
  >
    ? true
    : false,
  true satisfies Same<Omit<library.RecordFilter, 'modelLabels'>, Omit<z.infer<typeof querySchema>, 'limit'>>,
]
