import { parentPort } from 'node:worker_threads'
import { messageOf, WhisklensError } from '../../errors'
import { loadModel, loadUntried } from '../load'
import type { Answer, Inference, Question } from './protocol'

/*
 * The program that has the models of an action, a bundle of its own: in a thread it answers questions, elsewhere it is
 * called.
 */

export const inference: Inference = {
  load: async (model, engine, tried) => {
    const { task, ...loaded } = await (tried ? loadModel : loadUntried)(model, engine)
    return { ...loaded, input: task.input }
  },
  look: async (model, engine, ...image) => (await loadUntried(model, engine)).task.look(...image),
  memory: async (model, engine) => (await loadUntried(model, engine)).task.memory(),
}

async function answerTo({ id, ask, args }: Question): Promise<Answer> {
  try {
    return { id, value: await (inference[ask] as (...args: unknown[]) => Promise<unknown>)(...args) }
  } catch (thrown) {
    const { code, hint } = thrown instanceof WhisklensError ? thrown : {}
    const stack = thrown instanceof Error ? thrown.stack : undefined
    return { id, error: { code, hint, message: messageOf(thrown), stack } }
  }
}

parentPort?.on('message', async (question: Question) => parentPort?.postMessage(await answerTo(question)))
