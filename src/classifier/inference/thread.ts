import { SHARE_ENV, Worker } from 'node:worker_threads'
import { log } from '../../log'
import type { Answer, Envelope, Respond } from './protocol'

/**
 * Starts the inference program in a thread, so that this one downloads, decodes and writes meanwhile. If the thread ends, so does
 * the process, as it would without a thread; the platform then retries elsewhere.
 * @param program bundle of program.ts
 */
export function startThread(program: string): Respond {
  const worker = new Worker(program, {
    env: SHARE_ENV,
    // Preloads of the process are not for the thread.
    execArgv: [],
    // It produces little garbage, which V8 would let grow to 48 MB.
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
  worker.on('exit', (code) => end(new Error(`The inference thread exited with code ${code}`)))
  // Only a pending answer keeps the process alive.
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
