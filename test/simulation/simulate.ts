import { minUploadPart } from '../../src/batch/closing/join'
import { segmentBytes } from '../../src/batch/closing/segments'
import { portion } from '../../src/batch/planning/list-sort'
import { page } from '../../src/batch/planning/look-up'
import { block } from '../../src/batch/planning/walk-list'
import { log } from '../../src/log'
import { closeAgain, watchClosings } from './closed-twice'
import { drawRates, type FaultKind } from './faults'
import {
  batchesOf,
  Complaints,
  checkComplete,
  checkDelivered,
  checkEnded,
  checkNewest,
  checkNothingWaits,
  checkUnattended,
  checkUploads,
  documentOf,
  watchParts,
} from './invariants'
import { checkListed } from './lists'
import { defaultLimits, type Limits } from './platform/rates'
import { inFull, maxEvents, pass, settle } from './quiet'
import { type Random, seeded } from './random'
import { drawScenario, firstImages, type Scenario, trigger, watch } from './scenario'
import { createWorld, type World } from './world'

log.level = 'silent'

/** What one seed came to. */
export interface Report {
  seed: number
  complaints: string[]
  /** What happened, where that was asked for: two runs of a seed have the same. */
  trace: string[]
  fired: Partial<Record<FaultKind, number>>
  refused: number
  /** Whether a run of it was closed twice, to compare. */
  isClosedTwice: boolean
  calls: number
  events: number
}

const generous: Limits = { invocationsPerMinute: 6_000, concurrentInvocations: 200, firesPerMinute: 6_000 }

/** Less than it takes until a holder hands over, and much less than until an activation that does not report is given up. */
const promptly = 150_000

/** Days change in the middle of some seeds. */
const starts = [
  '2026-11-22T08:00:20Z',
  '2026-11-22T08:00:20Z',
  '2026-11-22T23:50:00Z',
  '2026-11-22T23:59:00Z',
]

function drawWorld(seed: number, random: Random, keepsTrace: boolean): World {
  const isCalm = random.chance(0.25)
  return createWorld({
    seed,
    start: Date.parse(random.pick(starts)) + random.between(0, 59_000),
    rates: drawRates(random, isCalm),
    isCalm,
    limits: random.pick([defaultLimits, defaultLimits, generous]),
    containers: random.pick([1, 3, 8, 30]),
    coldStart: random.pick([50, 1_500]),
    latency: random.pick([5, 50, 400]),
    skew: random.pick([0, 3_000, 60_000]),
    pageLength: random.pick([3, 20, 1000]),
    partBytes: random.pick([1_000, 6_000]),
    blockBytes: random.pick([300, 4_000, 1_000_000]),
    keepsTrace,
  })
}

/** Runs one seed: what it draws, under faults; then all is healed, and everything has to come to its end. */
export async function simulate(seed: number, { keepsTrace = false } = {}): Promise<Report> {
  const random = seeded(seed)
  const world = drawWorld(seed, random.fork('world'), keepsTrace)
  const scenario = drawScenario(random.fork('scenario'), world.isCalm)
  minUploadPart.value = world.options.partBytes
  segmentBytes.value = random.pick([1_500, 8_000, 8 * 1024 * 1024])
  portion.images = random.pick([2, 7, 50_000])
  block.length = random.pick([3, 1_000])
  page.length = random.pick([2, 1_000])
  page.min = 2
  const complaints = new Complaints()
  let isClosedTwice = false
  try {
    isClosedTwice = await run(world, scenario, random, complaints)
  } catch (thrown) {
    complaints.found.push(String(thrown instanceof Error ? thrown.stack : thrown))
  }
  complaints.found.push(...world.unexpected)
  const { faults, trace, platform, wire, time } = world
  return {
    seed,
    complaints: complaints.found,
    trace: trace.lines,
    fired: faults.fired,
    refused: platform.throttle.refused,
    isClosedTwice,
    calls: wire.calls,
    events: time.events,
  }
}

/** @returns whether a run was closed twice */
async function run(
  world: World,
  scenario: Scenario,
  random: Random,
  complaints: Complaints,
): Promise<boolean> {
  const { time, platform, faults } = world
  const closings = watchClosings(world)
  watchParts(world, complaints)
  firstImages(random.fork('images'), world)
  if (scenario.watched !== undefined) watch(world, scenario.watched)
  let left = scenario.events.length
  for (const { at, name, happen } of scenario.events)
    time.after(at, () => {
      left--
      world.trace.add(time.now, `— ${name}`)
      happen(world)
    })
  const began = time.now
  const end = began + 3 * 60 * 60_000
  await time.run(() => (left === 0 && platform.isIdle()) || time.now > end, maxEvents)
  // Where nothing dies, no reconcile has to help. What fails too often in a row is left to it.
  if (world.isCalm && !world.hasGivenUp && scenario.watched !== undefined)
    checkUploads(world, scenario.watched, complaints)
  if (world.isCalm && !world.hasGivenUp && faults.total() <= 8) {
    checkUnattended(world, complaints)
    // Each activation in a row that fails waits longer before the next.
    if (faults.total() <= 3) checkPromptness(world, began, scenario, complaints)
  }
  faults.isHealed = true
  world.trace.add(time.now, '— healed')
  await settle(world, complaints)
  checkAll(world, complaints)
  if (scenario.watched !== undefined) checkUploads(world, scenario.watched, complaints)
  const fired = [...scenario.batches].filter(([batch]) => batchesOf(world).includes(batch))
  if (scenario.watched !== undefined) await inFull(world, { poll: trigger }, complaints)
  // One that had ended early first does the rest of its run, and only then looks for what has changed since.
  const early = fired.filter(([batch]) => documentOf(world, batch)?.status !== 'complete')
  for (const [batch, about] of [...early, ...fired]) await inFull(world, { batch, ...about }, complaints)
  for (const [batch, { prefix, manifest }] of fired) {
    const ended = checkEnded(world, batch, complaints)
    if (ended && manifest !== undefined) checkListed(world, ended, complaints)
    else if (ended) checkComplete(world, ended, prefix, complaints)
  }
  const looked = fired.filter(([, { manifest }]) => manifest === undefined).map(([, { prefix }]) => prefix)
  for (const prefix of [...looked, ...(scenario.watched ? [scenario.watched] : [])])
    checkNewest(world, prefix, complaints)
  if (scenario.watched !== undefined) await closeDays(world, complaints)
  // Entries of fires that died at once are forgotten after a minute; a message that was refused twice is due half an hour later.
  await pass(world.time, 31 * 60_000)
  await settle(world, complaints)
  checkNothingWaits(world, complaints)
  for (const batch of batchesOf(world)) {
    const left = isOpenDay(world, batch) ? undefined : checkEnded(world, batch, complaints)
    if (left) checkDelivered(world, left, complaints)
  }
  const closed = closings.closed()
  if (closed) await closeAgain(world, closed, complaints)
  return closed !== undefined
}

/** That nothing waits for a time-out, or for the next hand-over, where nothing gets lost. */
function checkPromptness(
  { results, options }: World,
  began: number,
  { batches, events }: Scenario,
  complaints: Complaints,
): void {
  const last = began + (events.at(-1)?.at ?? 0)
  // Else batches wait for each other.
  if (options.containers < 3) return
  for (const batch of batches.keys()) {
    const written = results.get(`batches/${batch}/batch.json`)?.lastModified
    const took = written === undefined ? 0 : Date.parse(written) - last
    complaints.expect(took <= promptly, () => `${batch} took ${took} ms though nothing stood in the way`)
  }
}

/** Days are over when the next one has begun. */
async function closeDays(world: World, complaints: Complaints): Promise<void> {
  const midnight = (Math.floor(world.time.now / 86_400_000) + 1) * 86_400_000
  await pass(world.time, midnight + 20 * 60_000 - world.time.now)
  await settle(world, complaints)
  checkAll(world, complaints)
}

function checkAll(world: World, complaints: Complaints): void {
  for (const batch of batchesOf(world)) if (!isOpenDay(world, batch)) checkEnded(world, batch, complaints)
}

const isOpenDay = ({ results }: World, batch: string): boolean =>
  batch.startsWith('uploads-') && results.page(`open/${batch}~`, '', 1).length > 0
