import pLimit from 'p-limit'
import type { Findings, Task } from './task'

/** A task as others use it. */
export interface TaskInUse extends Task {
  look(...image: Parameters<Task['look']>): Promise<Findings & { ms: number }>
}

/**
 * Has a task look at one image after the other, for it has one engine and one buffer, and tells how long each took.
 * @param unusable what is thrown when it fails before it has worked once: that is the model's fault, or the engine's
 */
export function inUse(task: Task, unusable: (cause: unknown) => Error): TaskInUse {
  const oneByOne = pLimit(1)
  let isProved = false

  async function run<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work()
      isProved = true
      return result
    } catch (thrown) {
      throw isProved ? thrown : unusable(thrown)
    }
  }

  return {
    ...task,
    tryOut: () => oneByOne(run, task.tryOut),
    look: (...image) =>
      oneByOne(async () => {
        const start = performance.now()
        const findings = await run(() => task.look(...image))
        return { ...findings, ms: performance.now() - start }
      }),
  }
}
