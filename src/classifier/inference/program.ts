import { parentPort } from 'node:worker_threads'
import { messageOf, WhisklensError } from '../../errors'
import { loadUntried } from '../load'
import type { Envelope, Inference, Question, Respond } from './protocol'

/*
 * The program that has the models of an action, a bundle of its own: in a thread it answers messages, elsewhere it is
 * called.
 */

const inference: Inference = {
  load: async (model, engine) => {
    const { task, ...loaded } = await loadUntried(model, engine)
    return { ...loaded, input: task.input }
  },
  warmUp: async (model, engine) => (await loadUntried(model, engine)).task.warmUp(),
  look: async (model, engine, ...image) => (await loadUntried(model, engine)).task.look(...image),
  memory: async (model, engine) => (await loadUntried(model, engine)).task.memory(),
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
