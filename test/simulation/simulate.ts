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
  checkNothingLeft,
  checkUnattended,
  checkUploads,
  documentOf,
  watchParts,
} from './invariants'
import { checkListed } from './lists'
import { defaultLimits, type Limits } from './platform/rates'
import { advanceTime, maxEvents, reconcileUntilQuiet, sendAndReconcile } from './quiet'
import { type Random, seeded } from './random'
import { createInitialImages, drawScenario, type Scenario, trigger, watch } from './scenario'
import { createWorld, type World } from './world'

log.level = 'silent'

/** The outcome of one seed. */
export interface Report {
  seed: number
  complaints: string[]
  /** The trace, if requested. It is the same in every run of a seed. */
  trace: string[]
  fired: Partial<Record<FaultKind, number>>
  refused: number
  /** Whether a run was closed a second time, to compare. */
  isClosedTwice: boolean
  calls: number
  events: number
}

const generous: Limits = { invocationsPerMinute: 6_000, concurrentInvocations: 200, firesPerMinute: 6_000 }

/** Less than the time to a hand-over, and much less than until a piece is overdue. Milliseconds. */
const maxDuration = 150_000

/** Some seeds cross midnight. */
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

/** Runs a seed: its events under faults. Then all faults end, and everything has to finish. */
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
  createInitialImages(random.fork('images'), world)
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
  // Without crashes no reconcile is needed, unless failures exceed the retries.
  if (world.isCalm && !world.hasGivenUp && scenario.watched !== undefined)
    checkUploads(world, scenario.watched, complaints)
  if (world.isCalm && !world.hasGivenUp && faults.total() <= 8) {
    checkUnattended(world, complaints)
    // Each consecutive failure waits longer.
    if (faults.total() <= 3) checkPromptness(world, began, scenario, complaints)
  }
  faults.isHealed = true
  world.trace.add(time.now, '— healed')
  await reconcileUntilQuiet(world, complaints)
  checkAll(world, complaints)
  if (scenario.watched !== undefined) checkUploads(world, scenario.watched, complaints)
  const fired = [...scenario.batches].filter(([batch]) => batchesOf(world).includes(batch))
  if (scenario.watched !== undefined) await sendAndReconcile(world, { poll: trigger }, complaints)
  // A batch that ended early first finishes its run, and only the next one finds later changes.
  const early = fired.filter(([batch]) => documentOf(world, batch)?.status !== 'complete')
  for (const [batch, about] of [...early, ...fired])
    await sendAndReconcile(world, { batch, ...about }, complaints)
  for (const [batch, { prefix, manifest }] of fired) {
    const ended = checkEnded(world, batch, complaints)
    if (ended && manifest !== undefined) checkListed(world, ended, complaints)
    else if (ended) checkComplete(world, ended, prefix, complaints)
  }
  const prefixes = fired.filter(([, { manifest }]) => manifest === undefined).map(([, { prefix }]) => prefix)
  for (const prefix of [...prefixes, ...(scenario.watched ? [scenario.watched] : [])])
    checkNewest(world, prefix, complaints)
  if (scenario.watched !== undefined) await closeDays(world, complaints)
  // Abandoned entries are removed after a minute; a message that was refused twice is due half an hour later.
  await advanceTime(world.time, 31 * 60_000)
  await reconcileUntilQuiet(world, complaints)
  checkNothingLeft(world, complaints)
  for (const batch of batchesOf(world)) {
    const left = isOpenDay(world, batch) ? undefined : checkEnded(world, batch, complaints)
    if (left) checkDelivered(world, left, complaints)
  }
  const closed = closings.closed()
  if (closed) await closeAgain(world, closed, complaints)
  return closed !== undefined
}

/** Checks that nothing waits for a timeout or a hand-over when nothing gets lost. */
function checkPromptness(
  { results, options }: World,
  began: number,
  { batches, events }: Scenario,
  complaints: Complaints,
): void {
  const last = began + (events.at(-1)?.at ?? 0)
  // With fewer, batches wait for each other.
  if (options.containers < 3) return
  for (const batch of batches.keys()) {
    const written = results.get(`batches/${batch}/batch.json`)?.lastModified
    const took = written === undefined ? 0 : Date.parse(written) - last
    complaints.expect(took <= maxDuration, () => `${batch} took ${took} ms although nothing was lost`)
  }
}

/** Advances to the next day, so that days can close. */
async function closeDays(world: World, complaints: Complaints): Promise<void> {
  const midnight = (Math.floor(world.time.now / 86_400_000) + 1) * 86_400_000
  await advanceTime(world.time, midnight + 20 * 60_000 - world.time.now)
  await reconcileUntilQuiet(world, complaints)
  checkAll(world, complaints)
}

function checkAll(world: World, complaints: Complaints): void {
  for (const batch of batchesOf(world)) if (!isOpenDay(world, batch)) checkEnded(world, batch, complaints)
}

const isOpenDay = ({ results }: World, batch: string): boolean =>
  batch.startsWith('uploads-') && results.page(`open/${batch}~`, '', 1).length > 0
