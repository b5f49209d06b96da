import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import pLimit from 'p-limit'
import { clientsOf } from '../test/helpers/clients'
import { eventually, newDataDir, removeDataDir, startLocalMode } from '../test/helpers/local-mode'
import { makePhotos, small } from './photos'
import { median, ratioOf } from './statistics'

/*
 * How much of the classifier's speed is left in a batch: the local mode's whole pipeline, from fire to close, compared with bare worker
 * processes on the same files. Both are warm, and alternate.
 */

// The bare processes create none.
process.env.WHISKLENS_THUMBNAILS = 'false'

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const [images, rounds, workers] = [Number(values.images), Number(values.rounds), Number(values.workers)]

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

/** Bare workers; the files are distributed round-robin. */
function startClassifier(files: string[]) {
  const children = Array.from({ length: workers }, () =>
    fork(join(__dirname, 'throughput', 'worker.ts'), { execArgv: ['--import', 'tsx'] }),
  )
  return {
    run: () =>
      Promise.all(
        children.map(async (child, index) => {
          const done = once(child, 'message')
          child.send(files.filter((_, number) => number % workers === index))
          await done
        }),
      ),
    stop: () => Promise.all(children.map((child) => [once(child, 'exit'), child.kill()][0])),
  }
}

/** The local mode. Each run uses its own unwatched bucket, so that all images are new to its batch. */
async function startPipeline(folder: string) {
  const local = await startLocalMode(join(folder, 'local'), '--containers', String(workers))
  const { store, upload, read, fire, completed } = clientsOf(local.connection)
  let last = 0
  let next = 0
  return {
    fill: async (files: string[]) => {
      const Bucket = `bench-${++last}`
      await store.createBucket({ Bucket }).promise()
      const limit = pLimit(4)
      const put = async (file: string) => upload(basename(file), await readFile(file), Bucket)
      await Promise.all(files.map((file) => limit(put, file)))
    },
    run: async () => {
      const batch = `bench-${++next}`
      await fire(batch, { bucket: batch })
      const { totals } = await completed(batch)
      if (totals.ok !== images) throw new Error(`Only ${totals.ok} of ${images} images were classified`)
      return batch
    },
    /** Waits until no activation runs for the batch, so that the next one finds its container warm. */
    rest: (batch: string) =>
      eventually(
        async () => JSON.parse((await read(`batches/${batch}/batch.json`)) ?? '{}').lease?.holder === null,
        'the end of start-batch',
      ),
    stop: () => local.stop(),
  }
}

async function main(): Promise<void> {
  const folder = await newDataDir()
  const files = await makePhotos(join(folder, 'photos'), images, small)
  const pipeline = await startPipeline(folder)
  const classifier = startClassifier(files)
  try {
    for (let run = 0; run <= rounds; run++) await pipeline.fill(files)
    await classifier.run()
    await pipeline.rest(await pipeline.run())
    const taken = { classifier: [] as number[], pipeline: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      taken.classifier.push(await seconds(classifier.run))
      let batch = ''
      taken.pipeline.push(
        await seconds(async () => {
          batch = await pipeline.run()
        }),
      )
      await pipeline.rest(batch)
    }
    report(taken)
  } finally {
    await Promise.all([pipeline.stop(), classifier.stop()])
    await removeDataDir(folder)
  }
}

function report(taken: { classifier: number[]; pipeline: number[] }): void {
  const classifier = images / median(taken.classifier)
  const pipeline = images / median(taken.pipeline)
  // Ratio of adjacent runs, so that other load on the machine affects both sides.
  const ratio = ratioOf(taken.classifier, taken.pipeline)
  if (values.json) {
    console.log(
      JSON.stringify({
        images,
        workers,
        rounds,
        imagesPerSecond: { classifier, pipeline },
        ratio,
        seconds: taken,
      }),
    )
    return
  }
  console.log(`${images} images, ${workers} workers, median of ${rounds} rounds`)
  console.log(`classifier alone  ${classifier.toFixed(1)} images/s`)
  console.log(`whole pipeline    ${pipeline.toFixed(1)} images/s (${(ratio * 100).toFixed(1)} %)`)
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
