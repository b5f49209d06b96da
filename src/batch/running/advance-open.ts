import { type Planned, planChunks } from '../planning/planner'
import { progressOf } from '../reports/progress'
import { openSummary } from '../reports/summary-object'
import type { NextBatch, OpenBatch } from '../state/batch'
import type { Lease } from '../state/lease'
import type { Context } from '../state/platform'
import { beginClosing } from '../state/transitions'
import { countArrivals } from '../uploads/arrivals'
import { isClosable } from '../uploads/day'
import { watchDay } from '../uploads/scan'
import { sortPortion } from '../uploads/sort'
import { earlyEnd, nextTurn, type Sent, type Turn } from './decide'
import { dispatch, reportLost } from './dispatch'
import { emptyObservation, type Observation, openObserver } from './observe'
import { type Planner, planAhead } from './plan-ahead'

/** Pause between turns, milliseconds; grows while nothing changes. */
const minPause = 250
const maxPause = 2_000

/** How often the arrivals of an open day are counted, milliseconds. */
const countEvery = 5_000

/** Why `run` returned: the batch is no longer open, time ran out, or a day of uploads is quiet. */
export type RunState = 'over' | 'late' | 'quiet'

/**
 * Advances an open batch turn by turn: observe, decide, record, act.
 * @param stopAt when to leave the rest to another activation, milliseconds since the epoch
 */
export async function advanceOpen(lease: Lease, context: Context, stopAt: number): Promise<RunState> {
  const { clock } = context
  const open = () => lease.batch() as OpenBatch
  // Before planning, which may be what made earlier activations die.
  await lease.save((batch) => beginTurns(batch as OpenBatch, clock.now()))
  if (lease.batch().status !== 'open') return 'over'
  const planner = planAhead(open(), context, (isStopped) => sourceOf(lease, context, isStopped))
  const observer = openObserver(context)
  const report = reporter(lease, context)
  let sent: Sent[] = []
  let pause = minPause

  /** Writes the next state of the batch. @returns what to do next */
  const record = async (observation: Observation, isLate: boolean): Promise<Turn> => {
    const position = planner.position()
    const observed = { ...observation, now: clock.now(), epoch: lease.epoch, position, sent, isLate }
    let turn: Turn = { batch: open(), toDispatch: [], lost: [] }
    await lease.save((batch) => {
      turn = nextTurn(batch as OpenBatch, observed)
      return isSame(turn.batch, batch) ? undefined : turn.batch
    })
    sent = []
    return turn
  }

  try {
    while (clock.now() < stopAt) {
      const seen = await observer.observe(open())
      const { revision } = open()
      const turn = await record(seen, false)
      if (lease.batch().status !== 'open') return 'over'
      sent = await dispatch(open(), turn.toDispatch, context)
      await reportLost(open(), turn.lost, context)
      await report()
      if (isQuiet(open(), planner, clock.now())) return 'quiet'
      const hasMoved = open().revision > revision + 1 || turn.toDispatch.length > 0
      pause = hasMoved ? minPause : Math.min(pause * 1.5, maxPause)
      // A small batch is planned faster than the pause: wake up as soon as there are chunks.
      await Promise.race([clock.sleep(pause), planner.moved()])
    }
    return 'late'
  } finally {
    await planner.stop()
    // Record what is known for the successor. A failure here must not hide the first one.
    if (lease.batch().status === 'open') await record(emptyObservation, true).catch(() => {})
  }
}

function sourceOf(lease: Lease, context: Context, isStopped: () => boolean): AsyncGenerator<Planned> {
  const batch = lease.batch() as OpenBatch
  if (batch.plan.done) return nothing()
  if (batch.kind === 'uploads') return watchDay(lease, context, isStopped)
  return planChunks(batch, context.store, context.results, {
    now: context.clock.now(),
    isPaced: () => lease.batch().dispatch.window.perMinute !== undefined,
  })
}

async function* nothing(): AsyncGenerator<never> {}

/** Ends a batch that is to end early; otherwise resets its quiet time for this holder. */
function beginTurns(batch: OpenBatch, now: number): NextBatch | undefined {
  const early = earlyEnd(batch)
  if (early) return beginClosing(batch, early.outcome, early.reason)
  return batch.plan.done ? undefined : { ...batch, busyAt: batch.lease.expects ? now : 0 }
}

const isSame = (a: NextBatch, b: NextBatch): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Whether a day of uploads has nothing to do for now. */
function isQuiet({ batch, kind, plan, dispatch }: OpenBatch, planner: Planner, now: number): boolean {
  if (kind === 'fired' || !planner.hasFinished()) return false
  const { planned, done } = planner.position() ?? plan
  const isRecorded = planned === plan.planned && done === plan.done
  const isInFlight = dispatch.next < plan.planned || dispatch.pieces.length > 0
  return isRecorded && !isInFlight && !(done && isClosable(batch, now))
}

/** Keeps `summary.json` current, and sorts large portions of a day. */
function reporter(lease: Lease, context: Context): () => Promise<void> {
  const { clock, results } = context
  const summary = openSummary(results, lease.batch().batch, lease.verify)
  let unsorted = { ok: 0, error: 0 }
  let countedAt = 0
  return async () => {
    if (lease.batch().kind === 'uploads' && clock.now() - countedAt >= countEvery) {
      await sortPortion(lease, context, false)
      const { batch, sorted } = lease.batch()
      unsorted = await countArrivals(results, batch, sorted.upTo)
      countedAt = clock.now()
    }
    await summary.write(progressOf(lease.batch(), unsorted))
  }
}
