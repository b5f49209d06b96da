import { minUploadPart } from '../../src/batch/closing/join'
import { segmentBytes } from '../../src/batch/closing/segments'
import { log } from '../../src/log'
import {
  Complaints,
  checkComplete,
  checkDelivered,
  checkEnded,
  checkNewest,
  checkNothingLeft,
  documentOf,
} from './invariants'
import { advanceTime, maxEvents, reconcileUntilQuiet, send } from './quiet'
import type { CrashPoint } from './wire'
import { createWorld, type World } from './world'

log.level = 'silent'

/** The outcome of one run with a crash. */
export interface CrashReport {
  complaints: string[]
  /** Number of requests. */
  calls: number
  /** Chunks of the first run, and of both. */
  chunks: number[]
  /** The request whose process was killed. */
  crashed: string | undefined
  /** The process died before storing the fire, so its sender has to fire again. */
  isFireLost: boolean
  /** Classifications beyond one per version. */
  again: number
  /** Images without a record, and records beyond one per image. */
  lost: number
  twice: number
}

/** The outcome of all crash points tried by one process. */
export interface Points {
  /** Without a crash. */
  whole: CrashReport
  points: number
  /** Points at which the process died before storing the fire. */
  firesLost: number
  /** Classifications beyond one per image version. */
  again: number
  lost: number
  twice: number
  failed: { call: number; when: string; crashed?: string; complaints: string[] }[]
}

const maxDuration = 5 * 60_000

const prefix = 'photos/'
const request = { batch: 'b1', prefix, chunkSize: 10 }
const keyOf = (image: number): string => `${prefix}${String(image).padStart(2, '0')}.jpg`
const put = (world: World, image: number, version: number): void => {
  world.images.put(keyOf(image), Buffer.from(`image ${image} version ${version}`), { now: world.time.now })
}

const chunksOf = ({ results }: World): number =>
  results.page(`batches/${request.batch}/chunks/`, '', 1000).length

/**
 * A batch of 40 images in 4 chunks, fired again after 3 images changed, 2 were deleted and 1 was added. One process is
 * killed.
 */
export async function crashAt(crash: CrashPoint | undefined): Promise<CrashReport> {
  const world = createWorld({
    seed: 15,
    start: Date.parse('2026-11-22T08:00:05Z'),
    rates: {},
    isCalm: false,
    limits: { invocationsPerMinute: 6_000, concurrentInvocations: 200, firesPerMinute: 6_000 },
    containers: 4,
    coldStart: 500,
    latency: 20,
    skew: 0,
    pageLength: 30,
    partBytes: 4_000,
    blockBytes: 5_000,
  })
  minUploadPart.value = world.options.partBytes
  segmentBytes.value = 9_000
  world.wire.crash = crash
  const complaints = new Complaints()
  for (let image = 0; image < 40; image++) put(world, image, 1)
  await fire(world, 1, complaints)
  const chunks = [chunksOf(world)]
  for (const image of [3, 17, 39]) put(world, image, 2)
  for (const image of [0, 21]) world.images.delete(keyOf(image))
  put(world, 40, 1)
  const isFireLost = await fire(world, 2, complaints)
  chunks.push(chunksOf(world))
  const left = checkEnded(world, request.batch, complaints)
  if (left) checkComplete(world, left, prefix, complaints)
  checkNewest(world, prefix, complaints)
  await advanceTime(world.time, 90_000)
  await reconcileUntilQuiet(world, complaints)
  checkNothingLeft(world, complaints)
  if (left) checkDelivered(world, left, complaints)
  const recorded = new Set(left?.records.map(({ key }) => key))
  const again = [...world.classified.values()].reduce((sum, times) => sum + times - 1, 0)
  complaints.found.push(...world.unexpected)
  return {
    complaints: complaints.found,
    calls: world.wire.calls,
    chunks,
    crashed: world.wire.crashed,
    isFireLost,
    again,
    lost: world.images.page(prefix, '', 1000).filter(({ key }) => !recorded.has(key)).length,
    twice: (left?.records.length ?? 0) - recorded.size,
  }
}

/** Fires the batch, and again if the first fire was lost. @returns whether it was */
async function fire(world: World, run: number, complaints: Complaints): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const began = world.time.now
    await send(world, request)
    const took = world.time.now - began
    // A process that lives learns the outcome of its request; nothing waits until it is overdue.
    const isPrompt = world.wire.crash?.when !== 'unanswered' || took < maxDuration
    complaints.expect(isPrompt, () => `run ${run} took ${took} ms because of one lost response`)
    await world.time.run(world.platform.isIdle, maxEvents)
    await reconcileUntilQuiet(world, complaints)
    if (documentOf(world, request.batch)?.run === run) return attempt > 0
  }
  complaints.found.push(`run ${run} was fired twice but did not start`)
  return true
}
