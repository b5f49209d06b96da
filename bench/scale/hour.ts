import type { SimulationOptions } from '../simulation/simulate'
import type { Runner } from './runner'
import { table, thousands, time } from './table'

const hour = 3_600_000

/** A batch that takes no less of the hour counts as the largest. */
const closeEnough = 0.95 * hour

const mostRuns = 6

export interface Largest {
  images: number
  /** Milliseconds of virtual time. */
  duration: number
  perMinute: number
  chunkSize?: number
}

/**
 * Looks for the largest batch that is closed within an hour, by running batches, each of the size that the speed of
 * the one before suggests.
 */
export async function largestInAnHour(
  runner: Runner,
  options: Omit<SimulationOptions, 'images'>,
): Promise<Largest> {
  const { chunkSize, limits } = options
  let best: Largest | undefined
  let images = 200_000
  for (let run = 0; run < mostRuns && !(best && best.duration >= closeEnough); run++) {
    const { batches } = await runner.run({ ...options, images })
    const duration = batches[0]?.duration ?? Number.POSITIVE_INFINITY
    if (duration <= hour && images > (best?.images ?? 0))
      best = { images, duration, perMinute: limits.invocationsPerMinute, chunkSize }
    // A little less than it suggests, or it would end a little too late as often as not.
    images = Math.floor((images * 0.99 * hour) / duration / 1000) * 1000
  }
  if (!best) throw new Error('No batch was closed within an hour')
  return best
}

export const hourTable = (found: Largest[]): string =>
  table([
    ['invocations a minute', 'images a chunk', 'largest batch', 'closed after', 'images a second'],
    ...found.map(({ perMinute, chunkSize, images, duration }) => [
      thousands(perMinute),
      chunkSize ?? 'default',
      thousands(images),
      time(duration),
      Math.round((images * 1000) / duration),
    ]),
  ])
