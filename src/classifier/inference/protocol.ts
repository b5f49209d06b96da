import type { ErrorCode } from '../../error-codes'
import type { InputSpec } from '../image'
import type { LoadedModel } from '../load'
import type { SerialTask } from '../tasks/serial-task'

/** API of the inference program. Models are named as for `loadWithoutWarmUp`, and loaded on first use. */
export interface Inference {
  load(model: string, engine: string): Promise<Pick<LoadedModel, 'folder' | 'engine'> & { input: InputSpec }>
  warmUp(model: string, engine: string): Promise<void>
  predict(
    model: string,
    engine: string,
    ...image: Parameters<SerialTask['predict']>
  ): ReturnType<SerialTask['predict']>
  memory(model: string, engine: string): Promise<object>
}

/** A request to the program. */
export interface Question {
  ask: keyof Inference
  args: unknown[]
}

/** Its answer: a value or an error. Errors are plain data, since classes are not shared between bundles. */
export interface Answer {
  value?: unknown
  error?: { code?: ErrorCode; message: string; hint?: string; stack?: string }
}

/** Never rejects. */
export type Respond = (question: Question) => Promise<Answer>

/** A numbered message between threads. */
export interface Envelope<T> {
  id: number
  content: T
}
