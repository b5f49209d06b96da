import * as z from 'zod'
import type { memorySchema } from '../state/batch'

/** Memory of the actions that a batch is done by, MB. */
export type Memory = z.infer<typeof memorySchema>

/** What `manifest.yaml` gives them, where the platform was not asked. */
export const manifestMemory: Memory = { classify: 512, aggregate: 256 }

/** What one activation of `classify-images` used; kept as the metadata of the part it wrote. */
const usageSchema = z.object({
  /** Time spent in each action, milliseconds. */
  classifyMs: z.coerce.number().nonnegative(),
  aggregateMs: z.coerce.number().nonnegative(),
  /** Which container of `classify` did it. */
  container: z.string().min(1),
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

/** Memory times time, in GB-seconds: what platforms that bill by use count. */
export const gbSecondsOf = (
  { classifyMs, aggregateMs }: Pick<Usage, 'classifyMs' | 'aggregateMs'>,
  memory: Memory,
): number => (classifyMs * memory.classify + aggregateMs * memory.aggregate) / 1024 / 1000

/** Six digits: what lies behind them is noise of the arithmetic. */
export const rounded = (value: number): number => Number(value.toPrecision(6))

/** Adds what one activation of `classify-images` used; each part is to be counted once. */
export function addUsage(
  sum: { classifyMs: number; aggregateMs: number; containers: string[] },
  { classifyMs, aggregateMs, container }: Usage,
): void {
  // Whole milliseconds: only sums of integers are the same in any order.
  sum.classifyMs += Math.round(classifyMs)
  sum.aggregateMs += Math.round(aggregateMs)
  if (!sum.containers.includes(container)) sum.containers.push(container)
}
