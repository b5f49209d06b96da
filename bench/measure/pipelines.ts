import type { Contestant } from '../contestants'
import { type Child, startChild } from '../processes'
import { inTurn, type Measurement, stopAll } from './measurement'

/** Measurements of a contestant; arrays have a value per round, or per image and round. */
export interface Pipeline {
  what: string
  /** Milliseconds per image, by round: sequential, including decoding. */
  times: number[][]
  /** Images per second of one process, and of two in parallel, by round. */
  imagesPerSecond: { one: number[]; two: number[] }
  /** Memory of the sequential process, bytes: after the first round, and the maximum. */
  resident: number
  peak: number
  /** Top label of each image. */
  labels: number[]
}

interface ProcessGroup {
  name: string
  children: [Child, Child]
}

/**
 * Runs all contestants on the same images: sequentially, concurrently, and in two processes.
 * @param files the images
 * @param scripts folder of the bundles
 */
export async function measurePipelines(
  contestants: Record<string, Contestant>,
  files: string[],
  scripts: string,
): Promise<Measurement<Record<string, Pipeline>>> {
  const groups: ProcessGroup[] = []
  const found: Record<string, Pipeline> = {}
  const numbers = files.map((_, number) => number)
  for (const [name, { what, script, args }] of Object.entries(contestants)) {
    const start = () => startChild(`${scripts}/${script}.js`, [...args, ...files])
    groups.push({ name, children: [await start(), await start()] })
    const imagesPerSecond = { one: [], two: [] }
    found[name] = { what, times: [], imagesPerSecond, resident: 0, peak: 0, labels: [] }
  }

  async function sequential({ name, children: [child] }: ProcessGroup, round: number): Promise<void> {
    const pipeline = found[name] as Pipeline
    // Warm up.
    if (round === 0) await child.ask('classify', numbers)
    const { times, labels } = await child.ask<{ times: number[]; labels: number[] }>('classify', numbers)
    pipeline.times.push(times)
    if (round === 0) Object.assign(pipeline, { labels, ...(await child.ask<object>('memory')) })
  }

  async function concurrent({ name, children }: ProcessGroup, round: number): Promise<void> {
    const { imagesPerSecond } = found[name] as Pipeline
    if (round === 0) await Promise.all(children.map((child) => child.ask('classifyAll', numbers)))
    imagesPerSecond.one.push(await rate(children.slice(0, 1)))
    imagesPerSecond.two.push(await rate(children))
  }

  async function rate(children: Child[]): Promise<number> {
    const start = performance.now()
    await Promise.all(children.map((child) => child.ask('classifyAll', numbers)))
    return ((children.length * numbers.length) / (performance.now() - start)) * 1000
  }

  return {
    turn: async (round) => {
      for (const group of inTurn(groups, round)) await sequential(group, round)
      for (const group of inTurn(groups, round)) await concurrent(group, round)
    },
    found: async () => found,
    stop: () => stopAll(groups.flatMap(({ children }) => children)),
  }
}
