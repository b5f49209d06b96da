import type * as z from 'zod'
import type * as library from '../../src'
import type { querySchema } from '../../src/batch/reports/query'
import type { Classified } from '../../src/library/classify/task'
import type * as schema from '../../src/schema'

/*
 * The types of the library are written out, for programs that have no zod. Compiling this file shows that they are those of the
 * schemas.
 */

/** Whether two types are the same, optional fields included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Of `start-batch`, and no business of a program's: its own calls, and what the library has functions for. */
type Internal = 'dryRun' | 'cancel' | 'retry' | 'reconcile' | 'poll' | 'chunkSize'

export const checks: true[] = [
  true satisfies Same<library.ImageRecord, schema.ImageRecord>,
  true satisfies Same<library.BatchSummary, schema.BatchSummary>,
  true satisfies Same<library.Classification, Pick<Classified, keyof Classified>>,
  true satisfies Same<keyof library.BatchRequest, Exclude<keyof schema.BatchRequest, Internal>>,
  // Dates are sent as text.
  true satisfies Omit<library.BatchRequest, 'since' | 'until'> extends z.input<
    typeof schema.batchRequestSchema
  >
    ? true
    : false,
  true satisfies Same<Omit<library.RecordFilter, 'modelLabels'>, Omit<z.infer<typeof querySchema>, 'limit'>>,
]
