import { type BatchSummary, summarySchema } from '../../src/schema'
import { prefix } from './images'
import { refOf } from './records'
import { createScaleWorld, type ScaleOptions, type ScaleWorld } from './world'

/** Report of one batch. */
export interface BatchReport {
  images: number
  containers: number
  /** From the fire to `batch-completed`, milliseconds of virtual time. */
  duration: number
  /** Time until planning was complete, and until all chunks had reported. */
  planned: number
  reported: number
  activations: Record<string, number>
  refused: number
  requests: Record<string, number>
  totals: BatchSummary['totals']
}

/** Runs one batch over generated image names. @throws Error if it does not end correctly */
export async function runBatch(options: ScaleOptions, chunkSize?: number): Promise<BatchReport> {
  const world = createScaleWorld(options)
  const { time, platform } = world
  const began = time.now
  let end: number | undefined
  platform.onFire = (trigger) => {
    if (trigger === 'batch-completed') end ??= time.now
  }
  let [planned, reported] = [0, 0]
  world.results.onDocument = (text) => {
    if (planned === 0 && text.includes('"done":true')) planned = time.now - began
    if (reported === 0 && text.includes('"status":"closing"')) reported = time.now - began
  }
  const about = options.isListed ? { manifest: writeList(world, options.images) } : { prefix }
  platform.fire('batch-requested', { batch: 'b1', ...about, chunkSize })
  await time.run(() => end !== undefined && platform.isIdle())
  if (end === undefined) throw new Error(`The batch makes no progress: ${world.failures.join()}`)
  const { totals } = check(world, options.images)
  return {
    images: options.images,
    containers: options.containers,
    duration: end - began,
    planned,
    reported,
    activations: platform.activations,
    refused: platform.throttle.refused,
    requests: Object.fromEntries(world.requests),
    totals,
  }
}

/** Writes a list of all images in S3 Inventory format, shuffled, a tenth of them twice. @returns its address */
function writeList({ results, time }: ScaleWorld, images: number): string {
  // A prime, so that its multiples reach every number once.
  const step = 7_368_787
  function* lines(): Generator<string> {
    for (let n = 0; n < images * 1.1; n++) {
      const { key, size, etag, lastModified } = refOf((n * step) % images, 'images')
      yield `"images","${encodeURIComponent(key)}","${size}","${lastModified}","${etag}"\n`
    }
  }
  results.putList('lists/all', lines(), time.now)
  return 's3://results/lists/all'
}

/** Checks that every image was classified once, and has its line in the right place. */
function check({ results, failures }: ScaleWorld, images: number): BatchSummary {
  if (failures.length > 0) throw new Error(failures.join())
  const summary = summarySchema.parse(
    JSON.parse(results.get('batches/b1/summary.json')?.body.toString() ?? ''),
  )
  const { state, totals } = summary
  const { ok, error, pending, planned } = totals
  if (
    state !== 'complete' ||
    ok + error !== images ||
    planned !== images ||
    pending !== 0 ||
    results.line !== images
  )
    throw new Error(
      `The batch is ${state} with ${JSON.stringify(totals)} and ${results.line} lines for ${images} images`,
    )
  return summary
}
