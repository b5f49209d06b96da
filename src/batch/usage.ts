import { z } from 'zod'

/** What one activation of `classify-images` used; kept as the metadata of the part it wrote. */
const usageSchema = z.object({
  /** Time spent in each action, milliseconds. */
  classifyMs: z.coerce.number().nonnegative(),
  aggregateMs: z.coerce.number().nonnegative(),
  /** Which container of `classify` did it. */
  container: z.string(),
})
export type Usage = z.infer<typeof usageSchema>

/** As metadata of an object: names of S3 metadata know no upper case. */
export const toMetadata = ({ classifyMs, aggregateMs, container }: Usage): Record<string, string> => ({
  'classify-ms': String(Math.round(classifyMs)),
  'aggregate-ms': String(Math.round(aggregateMs)),
  container,
})

/** What a part's metadata tells, or undefined for a part that tells nothing. */
export function usageOf(metadata: Record<string, string>): Usage | undefined {
  const { 'classify-ms': classifyMs, 'aggregate-ms': aggregateMs, container } = metadata
  return usageSchema.safeParse({ classifyMs, aggregateMs, container }).data
}
