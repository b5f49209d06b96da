import pLimit from 'p-limit'
import { peakBytes, residentBytes } from '../../test/helpers/memory'

/** Classifies one image. @returns index of its top label */
export type Classify = (image: Buffer) => Promise<number>

/** Tasks of a contestant's process. */
export type Tasks = Record<string, (args: never) => unknown>

interface Question {
  task: string
  args: never
}

/** Answers requests from the parent process. */
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
 * Tasks common to all contestants.
 * @param images to classify, by number
 * @param ahead number of images in flight for `classifyAll`
 */
export const classifying = (classify: Classify, images: Buffer[], ahead: number): Tasks => ({
  /** Sequentially. @returns milliseconds and top label of each */
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
  /** Concurrently, as fast as possible. */
  classifyAll: async (numbers: number[]) => {
    const limit = pLimit(ahead)
    await Promise.all(numbers.map((number) => limit(classify, images[number] as Buffer)))
  },
  memory: () => ({ resident: residentBytes(), peak: peakBytes() }),
})
