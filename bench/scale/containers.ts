import type { SimulationOptions } from '../simulation/simulate'
import type { Runner } from './runner'
import { table, thousands, time } from './table'

export interface Throughput {
  containers: number
  images: number
  /** Milliseconds of virtual time. */
  duration: number
  throttled: number
}

/** The same batch on more and more containers. */
export async function throughputs(
  runner: Runner,
  counts: number[],
  options: SimulationOptions,
): Promise<Throughput[]> {
  const found: Throughput[] = []
  for (const containers of counts) {
    const { batches } = await runner.run({ ...options, containers })
    const { duration = Number.POSITIVE_INFINITY, throttled = 0 } = batches[0] ?? {}
    found.push({ containers, images: options.images, duration, throttled })
  }
  return found
}

export const throughputTable = (found: Throughput[]): string =>
  table([
    ['containers', 'images', 'time', 'images a second', 'of it a container', 'throttled'],
    ...found.map(({ containers, images, duration, throttled }) => {
      const rate = (images * 1000) / duration
      return [
        containers,
        thousands(images),
        time(duration),
        rate.toFixed(1),
        (rate / containers).toFixed(1),
        throttled,
      ]
    }),
  ])
