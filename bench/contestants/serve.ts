import pLimit from 'p-limit'
import { peakBytes, residentBytes } from '../../test/helpers/memory'

/** Classifies one image. @returns the index of its first label */
export type Classify = (image: Buffer) => Promise<number>

/** What a contestant's process can be asked for. */
export type Tasks = Record<string, (args: never) => unknown>

interface Question {
  task: string
  args: never
}

/** Answers the questions of the process that started this one. */
export function serve(tasks: Tasks): void {
  process.on('message', async ({ task, args }: Question) => {
    try {
      process.send?.({ value: await tasks[task]?.(args) })
    } catch (thrown) {
      process.send?.({ error: thrown instanceof Error ? thrown.stack : String(thrown) })
    }
  })
  process.send?.({ value: 'ready' })
}

/**
 * The tasks that every contestant has.
 * @param images what to classify, by number
 * @param ahead how many images it works on at a time when it is given many
 */
export const classifying = (classify: Classify, images: Buffer[], ahead: number): Tasks => ({
  /** One after the other. @returns milliseconds of each, and its first label */
  classify: async (numbers: number[]) => {
    const times: number[] = []
    const labels: number[] = []
    for (const number of numbers) {
      const start = performance.now()
      labels.push(await classify(images[number] as Buffer))
      times.push(performance.now() - start)
    }
    return { times, labels }
  },
  /** As fast as it can. */
  classifyAll: async (numbers: number[]) => {
    const limit = pLimit(ahead)
    await Promise.all(numbers.map((number) => limit(classify, images[number] as Buffer)))
  },
  memory: () => ({ resident: residentBytes(), peak: peakBytes() }),
})
