import * as z from 'zod'
import type { memorySchema } from '../state/batch'

/** Memory of the actions, MB. */
export type Memory = z.infer<typeof memorySchema>

/** The values of `manifest.yaml`, used where the platform cannot be queried. */
export const manifestMemory: Memory = { classify: 512, aggregate: 256 }

/** Usage of one `classify-images` activation; stored as metadata of its part. */
const usageSchema = z.object({
  /** Time spent in each action, milliseconds. */
  classifyMs: z.coerce.number().nonnegative(),
  aggregateMs: z.coerce.number().nonnegative(),
  /** The `classify` container. */
  container: z.string().min(1),
})
export type Usage = z.infer<typeof usageSchema>

/** S3 metadata names are lower case. */
export const toMetadata = ({ classifyMs, aggregateMs, container }: Usage): Record<string, string> => ({
  'classify-ms': String(Math.round(classifyMs)),
  'aggregate-ms': String(Math.round(aggregateMs)),
  container,
})

/** Parses a part's metadata; undefined when it has no usage. */
export function usageOf(metadata: Record<string, string>): Usage | undefined {
  const { 'classify-ms': classifyMs, 'aggregate-ms': aggregateMs, container } = metadata
  return usageSchema.safeParse({ classifyMs, aggregateMs, container }).data
}

/** Memory times duration in GB-seconds, the unit of serverless billing. */
export const gbSecondsOf = (
  { classifyMs, aggregateMs }: Pick<Usage, 'classifyMs' | 'aggregateMs'>,
  memory: Memory,
): number => (classifyMs * memory.classify + aggregateMs * memory.aggregate) / 1024 / 1000

/** Six digits hide floating-point noise. */
export const rounded = (value: number): number => Number(value.toPrecision(6))

/** Adds the usage of one activation. Count each part once. */
export function addUsage(
  sum: { classifyMs: number; aggregateMs: number; containers: string[] },
  { classifyMs, aggregateMs, container }: Usage,
): void {
  // Whole milliseconds: sums of integers do not depend on their order.
  sum.classifyMs += Math.round(classifyMs)
  sum.aggregateMs += Math.round(aggregateMs)
  if (!sum.containers.includes(container)) sum.containers.push(container)
}
