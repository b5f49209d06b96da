import * as z from 'zod'
import { messageOf, WhisklensError } from '../errors'

const name = z.string().trim().min(1).max(200)
const share = z.number().min(0).max(1)

/**
 * `labels.json`: how labels are shown. Labels are selected by any of their names, by WordNet id, or by kind. Names take
 * precedence over kinds, then the first in a list wins.
 */
export const rulesSchema = z.strictObject({
  schema: z.literal('whisklens.labels/1').optional(),
  /** Labels to hide. */
  ignore: z.array(name).default([]),
  /** New names by old ones. */
  rename: z.record(name, name).default({}),
  /** Labels shown as one, under the group's name; their probabilities add up. */
  groups: z.record(name, z.array(name).min(1)).default({}),
  /** Minimum probability by label or group; `*` for all others. */
  minimum: z.record(name, share).default({}),
})
export type LabelRules = z.infer<typeof rulesSchema>

/**
 * Parses `labels.json`.
 * @param source of the text, for errors
 * @throws WhisklensError `bad_labels`
 */
export function parseLabelRules(text: string, source: string): LabelRules {
  try {
    return rulesSchema.parse(JSON.parse(text.replace(/^\uFEFF/, '')))
  } catch (cause) {
    const problem = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause)
    throw new WhisklensError('bad_labels', `${source} cannot be used: ${problem}`, { cause })
  }
}
