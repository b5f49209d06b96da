import * as z from 'zod'
import { packageInputs } from '../../config'
import { InvalidInputError } from '../../errors'
import { type BatchRequest, batchIdSchema, batchRequestSchema } from '../../schema'
import { selects } from '../plan/filters'
import type { StartRequest } from './start'

/** `20261122-073000`. */
export const timeOf = (now: Date): string =>
  now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')

/** `20261122-073000-a1b2c3`: sorts by time, and two batches of one second differ. */
export const defaultBatchId = (now: Date, activationId: string): string =>
  `${timeOf(now)}-${activationId.slice(0, 6)}`

/** What `start-batch` asks of itself after a failure. */
const againSchema = batchRequestSchema.extend({
  feed: z.string().optional(),
  failed: z.int().nonnegative().optional(),
})

/** The uploads of a day can be carried on, though nobody can start a batch of such a name. */
const resumeSchema = againSchema.extend({ batch: batchIdSchema.optional() })

const schemaOf = ({ resume, failed }: Record<string, unknown>) => {
  if (resume === true) return resumeSchema
  return failed === undefined ? batchRequestSchema : againSchema
}

/**
 * What was asked of `start-batch`, freed of the package's settings.
 * @throws InvalidInputError for a parameter that is unknown, not what it must be, or at odds with another, and for a glob
 *   that is not valid
 */
export function parseBatchRequest(params: Record<string, unknown>): StartRequest {
  const names = Object.keys(params).filter((name) => !packageInputs.includes(name) && name !== 'resume')
  const asked = Object.fromEntries(names.map((name) => [name, params[name]]))
  const parsed = schemaOf(params).safeParse(asked)
  const problem = parsed.success ? contradictionIn(parsed.data, names) : z.prettifyError(parsed.error)
  if (!parsed.success || problem !== undefined)
    throw new InvalidInputError(`The batch request is not valid: ${problem}`)
  selects(parsed.data)
  return parsed.data
}

function contradictionIn(request: BatchRequest, names: string[]): string | undefined {
  const { reconcile, poll, minSize = 0, maxSize = Number.POSITIVE_INFINITY } = request
  if (minSize > maxSize) return 'minSize is larger than maxSize'
  const alone = reconcile ? 'reconcile' : poll !== undefined && 'poll'
  const others = names.filter((name) => name !== alone)
  return alone && others.length > 0 ? `${alone} goes alone, without ${others.join(', ')}` : undefined
}
