import * as z from 'zod'
import { isoOf } from '../../clock'
import { packageInputs } from '../../config'
import { InvalidInputError } from '../../errors'
import { type BatchRequest, batchIdSchema, batchRequestSchema } from '../../schema'
import { selects } from '../state/filters'
import type { Advance } from '../state/hand-over'

/** `20261122-073000-a1b2c3`: sorts by time and stays unique within a second. @param now milliseconds since the epoch */
export const defaultBatchId = (now: number, activationId: string): string =>
  `${isoOf(now).slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${activationId.slice(0, 6)}`

export type FireRequest = BatchRequest & {
  /** Consecutive activations that failed before the batch existed. */
  failed?: number
}

/** The message `start-batch` sends itself after such a failure. */
const retrySchema = batchRequestSchema.extend({ failed: z.int().nonnegative() })

/** The message to advance a batch. Accepts days of uploads, whose ids cannot be fired. */
const advanceSchema = z.strictObject({
  advance: batchIdSchema,
  failed: z.int().nonnegative().optional(),
})

/**
 * Parses the parameters of `start-batch`, without the package's inputs.
 * @throws InvalidInputError for an unknown or invalid parameter, contradicting ones, or an invalid glob
 */
export function parseBatchRequest(params: Record<string, unknown>): FireRequest | Advance {
  const own = Object.fromEntries(Object.entries(params).filter(([name]) => !packageInputs.includes(name)))
  if (own.advance !== undefined) return parse(advanceSchema, own)
  const schema = own.failed === undefined ? batchRequestSchema : retrySchema
  const request = parse<FireRequest>(schema, own, findContradiction)
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

function findContradiction(request: BatchRequest, names: string[]): string | undefined {
  const { reconcile, poll, newerThan, since, minSize = 0, maxSize = Number.POSITIVE_INFINITY } = request
  if (minSize > maxSize) return 'minSize is larger than maxSize'
  if (newerThan !== undefined && since !== undefined) return 'newerThan and since are mutually exclusive'
  const alone = reconcile ? 'reconcile' : poll !== undefined && 'poll'
  const others = names.filter((name) => name !== alone)
  return alone && others.length > 0 ? `${alone} cannot be combined with ${others.join(', ')}` : undefined
}
