import type { ErrorCode } from '../../error-codes'
import type { InputSpec } from '../image'
import type { LoadedModel } from '../load'
import type { TaskInUse } from '../tasks/in-use'

/** What the program with the models does. A model is named as for `loadUntried`, and loaded when it is first named. */
export interface Inference {
  load(model: string, engine: string): Promise<Pick<LoadedModel, 'folder' | 'engine'> & { input: InputSpec }>
  warmUp(model: string, engine: string): Promise<void>
  look(model: string, engine: string, ...image: Parameters<TaskInUse['look']>): ReturnType<TaskInUse['look']>
  memory(model: string, engine: string): Promise<object>
}

/** A question to the program. */
export interface Question {
  ask: keyof Inference
  args: unknown[]
}

/** Its answer: a value, or why there is none. An error of ours would lose its class on the way from another bundle. */
export interface Answer {
  value?: unknown
  error?: { code?: ErrorCode; message: string; hint?: string; stack?: string }
}

/** Never rejects. */
export type Respond = (question: Question) => Promise<Answer>

/** A question or an answer on its way between threads. */
export interface Envelope<T> {
  id: number
  content: T
}
