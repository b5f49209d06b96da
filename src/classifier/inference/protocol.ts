import type { InputSpec } from '../image'
import type { LoadedModel } from '../load'
import type { TaskInUse } from '../tasks/in-use'

/** What the program with the models does. A model is named as for `loadModel`. */
export interface Inference {
  /** @param tried whether it is to be tried out first, see `loadUntried` */
  load(
    model: string,
    engine: string,
    tried: boolean,
  ): Promise<Pick<LoadedModel, 'folder' | 'engine'> & { input: InputSpec }>
  look(model: string, engine: string, ...image: Parameters<TaskInUse['look']>): ReturnType<TaskInUse['look']>
  memory(model: string, engine: string): Promise<object>
}

/** A question to its thread. */
export interface Question {
  id: number
  ask: keyof Inference
  args: unknown[]
}

/** Its answer: a value, or why there is none. An error of ours loses its class on the way, but not what it says. */
export interface Answer {
  id: number
  value?: unknown
  error?: { code?: string; message: string; hint?: string; stack?: string }
}
