import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import pLimit from 'p-limit'
import { MiB } from '../../classifier/container-memory'
import { setEngineEnvironment } from '../../classifier/engines/environment'
import { messageOf } from '../../errors'
import { guestData, isGuest } from '../../guest'
import { cleanUpBeforeExit } from './exit-cleanup'
import type { ClassifyAnswer, ClassifyTask } from './task'

type Piscina = import('piscina').Piscina<ClassifyTask[], ClassifyAnswer[]>

/** An image not yet sent to a worker. */
interface Waiting {
  task: ClassifyTask
  answer: (answer: ClassifyAnswer) => void
}

/** A pool of worker threads. */
export interface ClassifyPool {
  /** Never rejects: an image that crashes its worker yields an error. */
  run(task: ClassifyTask): Promise<ClassifyAnswer>
  /** Waits for images that were sent to workers; drops the others. */
  close(): Promise<void>
}

/** A round trip to a worker costs about a twentieth of an image, so images are sent in groups of this size. */
const tasksPerMessage = 4

/** A worker decodes one group while its engine runs another; more would only use memory. */
const messagesPerWorker = 2

/** Maximum number of images in a worker. */
export const tasksPerWorker = tasksPerMessage * messagesPerWorker

/** Limit of a worker's V8 heap, MB. Pixels, weights and tensors are outside it. */
const maxHeap = 512

/**
 * Initial old-generation size of a worker's V8 heap, MB. Pixels are external but count towards V8's limit, and die young: with
 * a small heap V8 runs a full mark every twenty images.
 */
const initialHeap = 128

export interface PoolOptions {
  /** Number of threads started at once; the others start on demand. Default: all. */
  atOnce?: number
  /** Memory for images per thread, bytes. `WHISKLENS_MEMORY` overrides it. */
  memory?: number
}

/**
 * Starts worker threads.
 * @param worker path of the bundle whose default export is the task
 */
export function openPool(
  worker: string,
  threads: number,
  { atOnce = threads, memory }: PoolOptions = {},
): ClassifyPool {
  // Required at run time: piscina starts a script from its own package folder.
  const { Piscina } = createRequire(__filename)('piscina') as typeof import('piscina')
  setEngineEnvironment()
  setFlagsFromString(`--initial-old-space-size=${initialHeap}`)
  const env = { ...process.env }
  if (memory !== undefined) env.WHISKLENS_MEMORY ??= String(Math.floor(memory / MiB))
  let closing = false

  function start(minThreads: number, maxThreads: number, concurrentTasksPerWorker: number): Piscina {
    const pool: Piscina = new Piscina({
      filename: worker,
      env,
      workerData: isGuest() ? guestData : undefined,
      minThreads,
      maxThreads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker,
      resourceLimits: { maxOldGenerationSizeMb: maxHeap },
    })
    // An idle worker may crash too. A busy one rejects the promises of its tasks.
    pool.on('error', () => {})
    // With no worker left, queued tasks would never settle; destroying the pool rejects them.
    pool.on('workerDestroy', () =>
      setImmediate(() => {
        if (!closing && pool.threads.length === 0) void pool.destroy()
      }),
    )
    return pool
  }

  const pool = start(Math.min(atOnce, threads), threads, messagesPerWorker)
  const serial = pLimit(1)

  /** A crashed worker loses all its images. Each is retried alone, so that only the one that caused the crash fails. */
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

  // Queued here, because the queues of the workers cannot be emptied.
  const waiting: Waiting[] = []
  const running = new Set<Promise<unknown>>()

  /** Sends smaller groups towards the end, so that the workers finish together. */
  function send(): void {
    while (waiting.length > 0 && running.size < threads * messagesPerWorker) {
      const fair = Math.ceil(waiting.length / (threads * messagesPerWorker))
      const message = waiting.splice(0, Math.min(tasksPerMessage, fair))
      const sent = pool
        .run(message.map(({ task }) => task))
        .catch(() => Promise.all(message.map(({ task }) => serial(() => runAlone(task)))))
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
  const forget = cleanUpBeforeExit(close)

  return {
    run: (task) =>
      new Promise((answer) => {
        // Dropped tasks never settle.
        if (closing) return
        waiting.push({ task, answer })
        // Collects the tasks of one tick into groups.
        setImmediate(send)
      }),
    close,
  }
}
