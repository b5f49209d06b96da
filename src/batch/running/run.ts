import { type Planned, planChunks } from '../planning/planner'
import { progressOf } from '../reports/progress'
import { openSummary } from '../reports/summary-object'
import type { NextBatch, OpenBatch } from '../state/batch'
import type { Lease } from '../state/lease'
import type { Context } from '../state/platform'
import { closing } from '../state/transitions'
import { countArrivals } from '../uploads/arrivals'
import { isOver } from '../uploads/day'
import { sortPortion } from '../uploads/sort'
import { watchDay } from '../uploads/watch'
import { earlyEnd, nextTurn, type Sent, type Turn } from './decide'
import { dispatch, reportLost } from './dispatch'
import { nothingSeen, openObserver, type Seen } from './observe'
import { type Planner, planAhead } from './plan-ahead'

/** Between two turns, milliseconds; longer and longer while nothing happens. */
const firstPause = 250
const longestPause = 2_000

/** How often an open day is counted, milliseconds. */
const countEvery = 5_000

/** Why an activation is done with an open batch: it is to be closed, time is up, or a day of uploads is quiet. */
export type Left = 'over' | 'late' | 'quiet'

/**
 * Carries an open batch on, turn by turn: observes, decides, records, acts.
 * @param stopAt when to leave the rest to another activation, milliseconds since the epoch
 */
export async function run(lease: Lease, context: Context, stopAt: number): Promise<Left> {
  const { clock } = context
  const open = () => lease.batch() as OpenBatch
  // First: planning may be what the activations before died of.
  await lease.save((batch) => begun(batch as OpenBatch, clock.now()))
  if (lease.batch().status !== 'open') return 'over'
  const planner = planAhead(open(), context, (isStopped) => sourceOf(lease, context, isStopped))
  const observer = openObserver(context)
  const report = reporter(lease, context)
  let sent: Sent[] = []
  let pause = firstPause

  /** Writes the next state of the batch. @returns what is to be done about it */
  const record = async (seen: Seen, isLate: boolean): Promise<Turn> => {
    const position = planner.position()
    const observed = { ...seen, now: clock.now(), epoch: lease.epoch, position, sent, isLate }
    let turn: Turn = { batch: open(), give: [], lost: [] }
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
      sent = await dispatch(open(), turn.give, context)
      await reportLost(open(), turn.lost, context)
      await report()
      if (isQuiet(open(), planner, clock.now())) return 'quiet'
      const hasMoved = open().revision > revision + 1 || turn.give.length > 0
      pause = hasMoved ? firstPause : Math.min(pause * 1.5, longestPause)
      // A small batch is planned in less than a pause, and all of it waits to be dispatched.
      await Promise.race([clock.sleep(pause), planner.moved()])
    }
    return 'late'
  } finally {
    await planner.stop()
    // What was learned since, for a successor to know. What fails here must not hide why.
    if (lease.batch().status === 'open') await record(nothingSeen, true).catch(() => {})
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

/** A batch that is to end early ends; else this holder plans it. */
function begun(batch: OpenBatch, now: number): NextBatch | undefined {
  const early = earlyEnd(batch)
  if (early) return closing(batch, early.outcome, early.reason)
  return batch.plan.done ? undefined : { ...batch, busyAt: batch.lease.expects ? now : 0 }
}

const isSame = (a: NextBatch, b: NextBatch): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Whether a day of uploads has nothing more to do for now. */
function isQuiet({ batch, kind, plan, dispatch }: OpenBatch, planner: Planner, now: number): boolean {
  if (kind === 'fired' || !planner.hasFinished()) return false
  const { planned, done } = planner.position() ?? plan
  const isRecorded = planned === plan.planned && done === plan.done
  const isUnderWay = dispatch.next < plan.planned || dispatch.pieces.length > 0
  return isRecorded && !isUnderWay && !(done && isOver(batch, now))
}

/** Keeps `summary.json` current; sorts what has come of a day, where that is much. */
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
