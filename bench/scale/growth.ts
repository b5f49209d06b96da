import { type Kind, sumOf } from '../simulation/meter'
import type { RunReport } from '../simulation/run'
import type { BatchReport, SimulationOptions } from '../simulation/simulate'
import type { Runner } from './runner'
import { megabytes, table, thousands, time } from './table'

/** A batch of some size, and another one over the same images. */
export interface Growth extends RunReport {
  images: number
}

/** Below this size, what a batch costs in any case weighs more than what its images cost. */
const smallest = 10_000

/** What of a thousand images may come on top at the next size, and is no growth yet. */
const tolerance = 1.05

/** The memory limit of `start-batch` and `aggregate`, bytes. */
const memoryLimit = 256 * 1024 * 1024

/** Simulates batches of several sizes. */
export async function grow(
  runner: Runner,
  sizes: number[],
  options: Omit<SimulationOptions, 'images'>,
): Promise<Growth[]> {
  const growths: Growth[] = []
  for (const images of sizes)
    growths.push({ images, ...(await runner.run({ ...options, images, again: true })) })
  return growths
}

/** What a thousand images cost. */
function perThousand({ images, batches }: Growth) {
  const [first, again] = batches as [BatchReport, BatchReport]
  const activations = Object.values(first.activations).reduce((sum, count) => sum + count, 0)
  const of = (count: number) => (count * 1000) / images
  return {
    requests: of(sumOf(first.requests)),
    activations: of(activations),
    lookups: of(first.lookups),
    'requests of a batch with nothing to do': of(sumOf(again.requests)),
  }
}

/** What is not as it must be: growth faster than the batch's, memory, work done again. */
export function complaints(growths: Growth[]): string[] {
  const large = growths.filter(({ images }) => images >= smallest)
  const found = large.slice(1).flatMap((growth, index) => {
    const before = perThousand(large[index] as Growth)
    return Object.entries(perThousand(growth)).flatMap(([what, count]) => {
      const less = before[what as keyof typeof before]
      return count > less * tolerance
        ? [
            `${growth.images} images: ${count.toFixed(1)} ${what} per 1,000 images, up from ${less.toFixed(1)}`,
          ]
        : []
    })
  })
  for (const { images, peak, batches } of growths) {
    const again = batches[1]
    if (peak > memoryLimit) found.push(`${images} images: ${megabytes(peak)} of memory`)
    if (again?.totals.planned !== 0) found.push(`${images} images: the second batch did some of them again`)
    if (again && sumOf(again.requests, { area: 'records', kind: 'GET' }) > 0)
      found.push(`${images} images: the second batch read records`)
    for (const failure of batches.flatMap(({ failures }) => Object.keys(failures)))
      found.push(`${images} images: ${failure}`)
  }
  return found
}

const kinds: Kind[] = ['GET', 'PUT', 'LIST', 'HEAD']

/** The growth of what a batch needs, as tables. */
export function growthTables(growths: Growth[]): string {
  const rate = (count: number, images: number) => ((count * 1000) / images).toFixed(1)
  const actions = ['start-batch', 'classify', 'aggregate']
  const first = growths.map(({ images, batches: [batch], peak }) => [
    thousands(images),
    time(batch?.duration ?? 0),
    ...actions.map((action) => thousands(batch?.activations[action] ?? 0)),
    thousands(batch?.throttled ?? 0),
    thousands(sumOf(batch?.requests ?? {})),
    ...kinds.map((kind) => rate(sumOf(batch?.requests ?? {}, { kind }), images)),
    megabytes(peak),
  ])
  const again = growths.map(({ images, batches: [, batch] }) => [
    thousands(images),
    time(batch?.duration ?? 0),
    ...actions.map((action) => thousands(batch?.activations[action] ?? 0)),
    thousands(sumOf(batch?.requests ?? {})),
    ...kinds.map((kind) => rate(sumOf(batch?.requests ?? {}, { kind }), images)),
    sumOf(batch?.requests ?? {}, { area: 'records', kind: 'GET' }),
  ])
  const perThousandImages = kinds.map((kind) => `${kind}/1,000`)
  return [
    table([
      ['images', 'time', ...actions, 'throttled', 'requests', ...perThousandImages, 'peak memory'],
      ...first,
    ]),
    table([['images', 'time', ...actions, 'requests', ...perThousandImages, 'records read'], ...again]),
  ].join('\n')
}
