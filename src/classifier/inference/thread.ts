import { SHARE_ENV, Worker } from 'node:worker_threads'
import { log } from '../../log'
import type { Answer, Envelope, Respond } from './protocol'

/**
 * Starts the program with the models in a thread: while it computes, this one downloads, decodes and writes. When the thread
 * ends, so does the process, as it would without one, and the platform tries elsewhere.
 * @param program the bundle of program.ts
 */
export function startThread(program: string): Respond {
  const worker = new Worker(program, {
    env: SHARE_ENV,
    // What the process preloads is not for it.
    execArgv: [],
    // It makes little garbage, and would let it grow to 48 MB.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  let asked = 0
  worker.on('message', ({ id, content }: Envelope<Answer>) => {
    waiting.get(id)?.(content)
    waiting.delete(id)
    if (waiting.size === 0) worker.unref()
  })
  const end = (err: Error): void => {
    log.fatal({ err }, 'the thread with the models ended')
    process.exit(1)
  }
  worker.on('error', end)
  worker.on('exit', (code) => end(new Error(`It ended with code ${code}`)))
  // Only an answer that is waited for keeps the process alive.
  worker.unref()
  return (question) => {
    const id = ++asked
    worker.ref()
    return new Promise((resolve) => {
      waiting.set(id, resolve)
      worker.postMessage({ id, content: question })
    })
  }
}
