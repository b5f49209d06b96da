import type { Window } from '../state/batch'
import { minute, type Refusal } from '../state/hand-over'

/*
 * Limits the pieces in flight. The window doubles each turn as the platform accepts pieces, then each round as they
 * report, until the platform refuses one. From then on it grows by one a round and shrinks with each refusal (AIMD).
 * Accepted pieces may be queued, so late reports count as a refusal. Once the platform has named its limit per minute,
 * invocations stay below it: refused ones count too.
 */

/** The limit of growth by acceptance alone: until pieces report, they may only be queued. */
export const maxUnreported = 256

/** All pieces in flight are stored in `batch.json`, which each report reads. */
export const maxInFlight = 2_000

/** Factor applied to the window after a refusal. */
const decrease = 0.9

/**
 * Time from dispatch to report above which a piece has been queued, milliseconds: `classify` runs two minutes at most.
 * OpenWhisk abandons a component of a sequence after five.
 */
const maxReportTime = 150_000
/** The window grows below this time; a window with long queues shrinks towards the target. Milliseconds. */
const growthReportTime = 45_000
const targetReportTime = 100_000

/** How long reports are counted in one round, milliseconds. */
const roundTime = 60_000

/** Invocations per minute reserved for hand-overs, rests of chunks and webhooks. */
const reserve = (perMinute: number): number => Math.max(4, Math.ceil(perMinute / 10))

const minuteOf = (now: number): number => Math.floor(now / minute)

/** How many more pieces may be dispatched. @param now milliseconds since the epoch */
export function freeSlots(window: Window, inFlight: number, now: number): number {
  if (now < window.pausedUntil) return 0
  const byWindow = Math.floor(window.size) - inFlight
  if (window.perMinute === undefined) return Math.max(0, byWindow)
  const sent = window.minute === minuteOf(now) ? window.sent : 0
  const left = Math.max(1, window.perMinute - reserve(window.perMinute)) - sent
  return Math.max(0, Math.min(byWindow, left))
}

/** Counts dispatched pieces. */
export const countSent = (window: Window, count: number, now: number): Window =>
  window.minute === minuteOf(now)
    ? { ...window, sent: window.sent + count }
    : { ...window, minute: minuteOf(now), sent: count }

/** The reports of one turn. */
export interface Progress {
  /** Accepted pieces that had not reported before this turn. */
  inFlight: number
  /** How many of them reported in this turn. */
  done: number
  /** The shortest time from dispatch to report among those, milliseconds. */
  took: number
}

/** The window after a turn without refusals. @param now milliseconds since the epoch */
export function grow(window: Window, progress: Progress, now: number): Window {
  const { size, isKnown } = window
  const { inFlight, done, took } = progress
  const counted = { ...window, round: { ...window.round, done: window.round.done + done } }
  if (now < window.pausedUntil) return counted
  if (done > 0 && took > maxReportTime) return shrinkToThroughput(counted, now)
  const round = now - window.round.at > roundTime ? { at: now, done: 0 } : counted.round
  const more = done > 0 && took <= growthReportTime ? done : 0
  const accepted = Math.min(2 * inFlight, maxUnreported)
  const next = isKnown ? size + more / size : Math.max(size, accepted, Math.min(size + more, 2 * inFlight))
  return { ...window, round, size: Math.min(next, maxInFlight) }
}

/** Shrinks to what reports in time: more pieces would only queue. Needs a round's count of reports. */
function shrinkToThroughput(window: Window, now: number): Window {
  const { size, round } = window
  const took = now - round.at
  if (took < roundTime / 2) return window
  const next = { ...window, round: { at: now, done: 0 } }
  if (took > 2 * roundTime) return next
  return { ...next, isKnown: true, size: Math.max(1, Math.min(size, (round.done * targetReportTime) / took)) }
}

/** The window after a refusal: by the minute's limit, or by concurrency. @param inFlight pieces accepted */
export function shrink(window: Window, { until, perMinute }: Refusal, inFlight: number): Window {
  const paused = { ...window, isKnown: true, pausedUntil: Math.max(window.pausedUntil, until) }
  return perMinute === undefined
    ? { ...paused, size: Math.max(1, Math.min(window.size, inFlight) * decrease) }
    : { ...paused, perMinute }
}
