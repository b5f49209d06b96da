import * as z from 'zod'
import { messageOf, WhisklensError } from '../errors'

const name = z.string().trim().min(1).max(200)
const share = z.number().min(0).max(1)

/**
 * `labels.json`: how labels are shown. A label is named by any of its names, by its WordNet id, or by what it is a kind of;
 * what names the label itself goes before what names its kind, and after that the first of a list counts.
 */
export const rulesSchema = z.strictObject({
  schema: z.literal('whisklens.labels/1').optional(),
  /** Labels that are left out. */
  ignore: z.array(name).default([]),
  /** New names, by old ones. */
  rename: z.record(name, name).default({}),
  /** Labels that are shown as one, under the group's name: their probabilities add up. */
  groups: z.record(name, z.array(name).min(1)).default({}),
  /** Least probability by label, or by group; `*` for all others. */
  minimum: z.record(name, share).default({}),
})
export type LabelRules = z.infer<typeof rulesSchema>

/**
 * @param source where the text comes from, for errors
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
