import { modelVersion } from './records'
import { createScaleWorld, type ScaleOptions } from './world'

/** Report of a burst of uploads. */
export interface BurstReport {
  images: number
  /** From the first upload until the last one has its record, milliseconds of virtual time. */
  duration: number
  /** Refused notifications. */
  lost: number
  activations: Record<string, number>
  refused: number
  requests: Record<string, number>
}

const pollInterval = 1_000

/** Uploads spread evenly over a period, with one notification each that is never repeated. */
export async function runBurst(options: ScaleOptions, within: number): Promise<BurstReport> {
  const world = createScaleWorld({ ...options, existing: 0 })
  const { time, platform, images, results } = world
  watch(world)
  const began = time.now
  let lost = 0
  let uploaded = 0
  for (let image = 0; image < options.images; image++)
    time.after((image * within) / options.images, () => {
      const key = images.upload(time.now)
      uploaded++
      try {
        platform.invoke('bucket-events', { images: [{ bucket: 'images', key, size: 120_000 }] })
      } catch {
        lost++
      }
    })
  const root = `images/${modelVersion}/images/`
  const classified = (): number => results.page(root, '', options.images).length
  let end: number | undefined
  const poll = (): void => {
    if (uploaded === options.images && classified() === options.images) end = time.now
    else if (time.now - began < 24 * 3_600_000) time.after(pollInterval, poll)
  }
  poll()
  await time.run(() => uploaded === options.images && platform.isIdle() && end !== undefined)
  if (end === undefined)
    throw new Error(`No progress after ${classified()} of ${options.images} uploads were classified`)
  if (world.failures.length > 0) throw new Error(world.failures.join())
  return {
    images: options.images,
    duration: end - began,
    lost,
    activations: platform.activations,
    refused: platform.throttle.refused,
    requests: Object.fromEntries(world.requests),
  }
}

/** Registers a trigger for the bucket, as the feed does. */
function watch({ results, time }: ReturnType<typeof createScaleWorld>): void {
  const registration = {
    trigger: '/guest/image-uploaded',
    bucket: 'images',
    prefix: '',
    paused: false,
    createdAt: new Date(time.now).toISOString(),
    minutes: 0,
    settle: 10,
    revision: 1,
    writeId: '0',
  }
  const body = Buffer.from(JSON.stringify(registration))
  results.put('feeds/guest/image-uploaded.json', body, { now: time.now })
}
