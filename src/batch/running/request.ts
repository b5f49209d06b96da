import * as z from 'zod'
import { isoOf } from '../../clock'
import { packageInputs } from '../../config'
import { InvalidInputError } from '../../errors'
import { type BatchRequest, batchIdSchema, batchRequestSchema } from '../../schema'
import { selects } from '../state/filters'
import type { Advance } from '../state/hand-over'

/** `20261122-073000-a1b2c3`: sorts by time, and two batches of one second differ. @param now milliseconds since the epoch */
export const defaultBatchId = (now: number, activationId: string): string =>
  `${isoOf(now).slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${activationId.slice(0, 6)}`

/** What fires a batch. */
export type FireRequest = BatchRequest & {
  /** Activations in a row that failed before there was a batch. */
  failed?: number
}

/** What `start-batch` asks of itself after such a failure. */
const againSchema = batchRequestSchema.extend({ failed: z.int().nonnegative() })

/** Has a batch carried on. Days of uploads as well, though a batch of such a name cannot be fired. */
const advanceSchema = z.strictObject({
  advance: batchIdSchema,
  failed: z.int().nonnegative().optional(),
})

/**
 * What was asked of `start-batch`, freed of the package's inputs.
 * @throws InvalidInputError for a parameter that is unknown, not what it must be, or at odds with another, and for a glob
 *   that is not valid
 */
export function parseBatchRequest(params: Record<string, unknown>): FireRequest | Advance {
  const asked = Object.fromEntries(Object.entries(params).filter(([name]) => !packageInputs.includes(name)))
  if (asked.advance !== undefined) return parse(advanceSchema, asked)
  const schema = asked.failed === undefined ? batchRequestSchema : againSchema
  const request = parse<FireRequest>(schema, asked, contradictionIn)
  selects(request)
  return request
}

function parse<T>(
  schema: z.ZodType<T>,
  asked: Record<string, unknown>,
  check: (request: T, names: string[]) => string | undefined = () => undefined,
): T {
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
  const parsed = schema.safeParse(given)
  const problem = parsed.success ? check(parsed.data, Object.keys(given)) : z.prettifyError(parsed.error)
  if (parsed.success && problem === undefined) return parsed.data
  throw new InvalidInputError('bad_parameter', `The batch request is not valid: ${problem}`)
}

function contradictionIn(request: BatchRequest, names: string[]): string | undefined {
  const { reconcile, poll, newerThan, since, minSize = 0, maxSize = Number.POSITIVE_INFINITY } = request
  if (minSize > maxSize) return 'minSize is larger than maxSize'
  if (newerThan !== undefined && since !== undefined) return 'newerThan and since exclude each other'
  const alone = reconcile ? 'reconcile' : poll !== undefined && 'poll'
  const others = names.filter((name) => name !== alone)
  return alone && others.length > 0 ? `${alone} goes alone, without ${others.join(', ')}` : undefined
}
