import { parentPort } from 'node:worker_threads'
import { messageOf, WhisklensError } from '../../errors'
import { loadWithoutWarmUp } from '../load'
import type { Envelope, Inference, Question, Respond } from './protocol'

/*
 * The program that runs the models of an action, as a separate bundle: answers messages in a thread, or is called directly.
 */

const inference: Inference = {
  load: async (model, engine) => {
    const { task, ...loaded } = await loadWithoutWarmUp(model, engine)
    return { ...loaded, input: task.input }
  },
  warmUp: async (model, engine) => (await loadWithoutWarmUp(model, engine)).task.warmUp(),
  predict: async (model, engine, ...image) => (await loadWithoutWarmUp(model, engine)).task.predict(...image),
  memory: async (model, engine) => (await loadWithoutWarmUp(model, engine)).task.memory(),
}

export const respond: Respond = async ({ ask, args }) => {
  try {
    return { value: await (inference[ask] as (...args: unknown[]) => Promise<unknown>)(...args) }
  } catch (thrown) {
    const { code, hint } = thrown instanceof WhisklensError ? thrown : {}
    const stack = thrown instanceof Error ? thrown.stack : undefined
    return { error: { code, hint, message: messageOf(thrown), stack } }
  }
}

parentPort?.on('message', async ({ id, content }: Envelope<Question>) =>
  parentPort?.postMessage({ id, content: await respond(content) }),
)
