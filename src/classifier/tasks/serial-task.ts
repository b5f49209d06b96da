import pLimit from 'p-limit'
import type { Findings, Task } from './task'

/** A task, serialised. */
export interface SerialTask extends Pick<Task, 'input' | 'memory'> {
  /**
   * Warms up, unless an image has already been classified: checks that the engine supports the model, compiles and allocates.
   * @throws Error from `unusable`, also on later calls
   */
  warmUp(): Promise<void>
  /** As {@link Task.predict}, with its duration, milliseconds. */
  predict(...image: Parameters<Task['predict']>): Promise<Findings & { ms: number }>
}

/**
 * Serialises a task, which has one engine and one buffer. If it fails before it ever worked, warms it up to find out whether the
 * task or the image is the cause.
 * @param unusable error to throw if the task is the cause
 * @param forget called in that case
 */
export function serialTask(
  task: Task,
  { unusable, forget }: { unusable: (cause: unknown) => Error; forget: () => void },
): SerialTask {
  const serial = pLimit(1)
  let isWarm = false
  let broken: Error | undefined

  async function warmUp(): Promise<void> {
    if (isWarm) return
    if (broken) throw broken
    try {
      await task.warmUp()
      isWarm = true
    } catch (thrown) {
      broken = unusable(thrown)
      forget()
      task.dispose()
      throw broken
    }
  }

  async function predict(...image: Parameters<Task['predict']>): Promise<Findings & { ms: number }> {
    if (broken) throw broken
    const start = performance.now()
    try {
      const findings = await task.predict(...image)
      isWarm = true
      return { ...findings, ms: performance.now() - start }
    } catch (thrown) {
      await warmUp()
      throw thrown
    }
  }

  return {
    input: task.input,
    memory: task.memory,
    warmUp: () => serial(warmUp),
    predict: (...image) => serial(() => predict(...image)),
  }
}
