import pLimit from 'p-limit'
import type { Findings, Task } from './task'

/** A task as others use it. */
export interface TaskInUse extends Pick<Task, 'input' | 'memory'> {
  /**
   * Proves, unless an image has done so, that the engine knows all of the model, and has it compile and allocate.
   * @throws Error as `unusable` makes it, for ever after
   */
  warmUp(): Promise<void>
  /** As of a {@link Task}, with how long it took, milliseconds. */
  look(...image: Parameters<Task['look']>): Promise<Findings & { ms: number }>
}

/**
 * Has a task look at one image after the other, for it has one engine and one buffer. A task that fails before it has ever
 * worked is tried out: is it to blame, or the image?
 * @param unusable what is thrown when the task is to blame
 * @param forget what is done then, too
 */
export function inUse(
  task: Task,
  { unusable, forget }: { unusable: (cause: unknown) => Error; forget: () => void },
): TaskInUse {
  const oneByOne = pLimit(1)
  let isProved = false
  let broken: Error | undefined

  async function prove(): Promise<void> {
    if (isProved) return
    if (broken) throw broken
    try {
      await task.warmUp()
      isProved = true
    } catch (thrown) {
      broken = unusable(thrown)
      forget()
      task.dispose()
      throw broken
    }
  }

  async function look(...image: Parameters<Task['look']>): Promise<Findings & { ms: number }> {
    if (broken) throw broken
    const start = performance.now()
    try {
      const findings = await task.look(...image)
      isProved = true
      return { ...findings, ms: performance.now() - start }
    } catch (thrown) {
      await prove()
      throw thrown
    }
  }

  return {
    input: task.input,
    memory: task.memory,
    warmUp: () => oneByOne(prove),
    look: (...image) => oneByOne(() => look(...image)),
  }
}
