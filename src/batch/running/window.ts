import type { Window } from '../state/batch'
import { minute, type Refusal } from '../state/hand-over'

/*
 * How many pieces may be under way. The window doubles from one turn to the next by what the platform accepts, then from
 * one round to the next by what reports, until the platform refuses something; from then on it adds one a round and
 * shrinks with each refusal. What is accepted may wait in a queue: late reports count as a refusal. Where the platform
 * has said how many invocations it takes in a minute, no more are made: refused ones count.
 */

/** As far as acceptance alone carries: whether containers or a queue have taken the pieces is not known before they report. */
export const maxUnreported = 256

/** All of them stand in `batch.json`, which each report reads. */
export const maxUnderWay = 2_000

/** What is left of a window after a refusal. */
const decrease = 0.9

/**
 * From a dispatch to the report, milliseconds. `classify` runs for two minutes at most, so what reports later has waited;
 * after five minutes OpenWhisk gives a component of a sequence up.
 */
const longest = 150_000
/** Up to here the queue may grow, and this long it is to be where it was too long. */
const short = 45_000
const intended = 100_000

/** Within this time what reports is counted, milliseconds. */
const roundTime = 60_000

/** Invocations of each minute that are left for others: hand-overs, rests of chunks, webhooks. */
const reserve = (perMinute: number): number => Math.max(4, Math.ceil(perMinute / 10))

const minuteOf = (now: number): number => Math.floor(now / minute)

/** How many pieces there is room for. @param now milliseconds since the epoch */
export function roomOf(window: Window, underWay: number, now: number): number {
  if (now < window.pausedUntil) return 0
  const byWindow = Math.floor(window.size) - underWay
  if (window.perMinute === undefined) return Math.max(0, byWindow)
  const sent = window.minute === minuteOf(now) ? window.sent : 0
  const left = Math.max(1, window.perMinute - reserve(window.perMinute)) - sent
  return Math.max(0, Math.min(byWindow, left))
}

/** So many pieces were given out. */
export const used = (window: Window, count: number, now: number): Window =>
  window.minute === minuteOf(now)
    ? { ...window, sent: window.sent + count }
    : { ...window, minute: minuteOf(now), sent: count }

/** What a turn has learned of the platform. */
export interface Progress {
  /** Pieces that it has accepted and that had not reported before this turn. */
  underWay: number
  /** How many of them have reported now. */
  done: number
  /** The least time from the dispatch to the report of one of those, milliseconds. */
  took: number
}

/** Where nothing was refused. @param now milliseconds since the epoch */
export function grown(window: Window, progress: Progress, now: number): Window {
  const { size, isKnown } = window
  const { underWay, done, took } = progress
  const counted = { ...window, round: { ...window.round, done: window.round.done + done } }
  if (now < window.pausedUntil) return counted
  if (done > 0 && took > longest) return unqueued(counted, now)
  const round = now - window.round.at > roundTime ? { at: now, done: 0 } : counted.round
  const more = done > 0 && took <= short ? done : 0
  const accepted = Math.min(2 * underWay, maxUnreported)
  const next = isKnown ? size + more / size : Math.max(size, accepted, Math.min(size + more, 2 * underWay))
  return { ...window, round, size: Math.min(next, maxUnderWay) }
}

/** As large as what reports in time: more would only wait longer. Without a count of reports it says nothing. */
function unqueued(window: Window, now: number): Window {
  const { size, round } = window
  const took = now - round.at
  if (took < roundTime / 2) return window
  const next = { ...window, round: { at: now, done: 0 } }
  if (took > 2 * roundTime) return next
  return { ...next, isKnown: true, size: Math.max(1, Math.min(size, (round.done * intended) / took)) }
}

/** The platform has refused something: for the minute, or for what is under way. @param underWay what it has taken */
export function shrunk(window: Window, { until, perMinute }: Refusal, underWay: number): Window {
  const paused = { ...window, isKnown: true, pausedUntil: Math.max(window.pausedUntil, until) }
  return perMinute === undefined
    ? { ...paused, size: Math.max(1, Math.min(window.size, underWay) * decrease) }
    : { ...paused, perMinute }
}
