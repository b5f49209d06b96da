import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { InvalidInputError, WhisklensError } from '../../errors'
import { homeFolder } from '../../paths'
import { containerMemory } from '../container-memory'
import type { Answer, Inference, Question } from './protocol'

/** A thread takes 15 MB of its own; an action that has less than this needs them for images. */
const roomForThread = 384 * 1024 * 1024

/** The bundle of program.ts: beside an action's own, else where it is built. */
function programFile(): string {
  const bundled = join(__dirname, 'inference.js')
  return existsSync(bundled) ? bundled : join(homeFolder(), 'dist', 'inference.cjs')
}

/**
 * Starts the program with the models in a thread: while it computes, this one downloads, decodes and writes. What nobody
 * catches there ends the process, as it would here, and the platform tries elsewhere.
 */
function startThread(): Inference {
  const worker = new Worker(programFile(), {
    env: SHARE_ENV,
    // It makes little garbage, and would let it grow to 48 MB.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  let asked = 0
  worker.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
    if (waiting.size === 0) worker.unref()
  })
  // Only an answer that is waited for keeps the process alive.
  worker.unref()

  async function ask(question: Omit<Question, 'id'>): Promise<unknown> {
    const id = ++asked
    worker.ref()
    const { value, error } = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve)
      worker.postMessage({ id, ...question })
    })
    if (error) throw errorOf(error)
    return value
  }

  const asking =
    <A extends Question['ask']>(name: A) =>
    (...args: Parameters<Inference[A]>) =>
      ask({ ask: name, args }) as ReturnType<Inference[A]>
  return { load: asking('load'), look: asking('look'), memory: asking('memory') }
}

function errorOf({ code, message, hint, stack }: NonNullable<Answer['error']>): Error {
  if (code === 'invalid_input') return new InvalidInputError(message, { hint })
  if (code) return new WhisklensError(code, message, { hint })
  return Object.assign(new Error(message), { stack })
}

let inference: Inference | undefined

/** The program with the models, which takes as long to start as the rest of an action. */
export function openInference(): Inference {
  inference ??=
    containerMemory < roomForThread ? createRequire(__filename)(programFile()).inference : startThread()
  return inference as Inference
}
