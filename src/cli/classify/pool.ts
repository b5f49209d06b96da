import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import pLimit from 'p-limit'
import { setEngineEnvironment } from '../../classifier/engines/environment'
import { messageOf } from '../../errors'
import { restBeforeExit } from '../shared/leave'
import type { ClassifyAnswer, ClassifyTask } from './task'

type Piscina = import('piscina').Piscina<ClassifyTask[], ClassifyAnswer[]>

/** An image that no worker has yet. */
interface Waiting {
  task: ClassifyTask
  answer: (answer: ClassifyAnswer) => void
}

/** Worker threads that classify images. */
export interface ClassifyPool {
  /** Never rejects: an image that ends its worker is an error like any other. */
  run(task: ClassifyTask): Promise<ClassifyAnswer>
  /** Waits for what the workers have begun; what waits for them is dropped. */
  close(): Promise<void>
}

/** A message to a thread and back costs as much as a twentieth of an image: where many images wait, it has so many. */
const tasksPerMessage = 4

/** Images are read and decoded while others are in the worker's engine; more messages would only take memory. */
const messagesPerWorker = 2

/** How many images a worker has at most. */
export const tasksPerWorker = tasksPerMessage * messagesPerWorker

/** Megabytes of a worker's heap; pixels, weights and tensors lie outside it. */
const maxHeap = 512

/**
 * Megabytes that a worker's heap takes before garbage of its old generation is looked for. Pixels count, though they lie outside
 * it and die young: V8 would mark all of a small heap after every twenty images.
 */
const initialHeap = 128

/**
 * Starts worker threads.
 * @param worker the bundle that exports the task as its default
 * @param atOnce how many start at once; others do when there are images for them
 */
export function openPool(worker: string, threads: number, atOnce: number = threads): ClassifyPool {
  // Loaded when it is needed, and from its folder: it starts a script that lies beside it.
  const { Piscina } = createRequire(__filename)('piscina') as typeof import('piscina')
  setEngineEnvironment()
  setFlagsFromString(`--initial-old-space-size=${initialHeap}`)
  let closing = false

  function start(minThreads: number, maxThreads: number, concurrentTasksPerWorker: number): Piscina {
    const pool: Piscina = new Piscina({
      filename: worker,
      minThreads,
      maxThreads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker,
      resourceLimits: { maxOldGenerationSizeMb: maxHeap },
    })
    // A worker that dies before it has a task. Its tasks' promises tell of all other deaths.
    pool.on('error', () => {})
    // Without a worker left, queued tasks would wait for ever; destroying the pool rejects them.
    pool.on('workerDestroy', () =>
      setImmediate(() => {
        if (!closing && pool.threads.length === 0) void pool.destroy()
      }),
    )
    return pool
  }

  const pool = start(Math.min(atOnce, threads), threads, messagesPerWorker)
  const oneByOne = pLimit(1)

  /** A dead worker takes all its images with it. Each is tried again by itself, so that only the image that caused it fails. */
  async function runAlone(task: ClassifyTask): Promise<ClassifyAnswer> {
    const alone = start(1, 1, 1)
    try {
      return (await alone.run([task]))[0] as ClassifyAnswer
    } catch (thrown) {
      const message = `The worker that classified the image exited: ${messageOf(thrown)}`
      return { error: { code: 'internal', message } }
    } finally {
      await alone.destroy()
    }
  }

  // What waits does so here: the workers' own queues cannot be emptied before they are ended.
  const waiting: Waiting[] = []
  const running = new Set<Promise<unknown>>()

  /** The last images go to the workers in smaller messages, for them to end together. */
  function send(): void {
    while (waiting.length > 0 && running.size < threads * messagesPerWorker) {
      const fair = Math.ceil(waiting.length / (threads * messagesPerWorker))
      const message = waiting.splice(0, Math.min(tasksPerMessage, fair))
      const sent = pool
        .run(message.map(({ task }) => task))
        .catch(() => Promise.all(message.map(({ task }) => oneByOne(() => runAlone(task)))))
        .then((answers) =>
          message.forEach(({ answer }, index) => void answer(answers[index] as ClassifyAnswer)),
        )
        .finally(() => {
          running.delete(sent)
          send()
        })
      running.add(sent)
    }
  }

  async function close(): Promise<void> {
    closing = true
    waiting.length = 0
    await Promise.allSettled(running)
    await pool.destroy()
    forget()
  }
  const forget = restBeforeExit(close)

  return {
    run: (task) =>
      new Promise((answer) => {
        // What is dropped is never answered.
        if (closing) return
        waiting.push({ task, answer })
        // Those that are asked for in one go share messages.
        setImmediate(send)
      }),
    close,
  }
}
