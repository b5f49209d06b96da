import type { Window } from '../state/batch'
import { minute } from '../state/hand-over'

/*
 * How many pieces may be under way. It doubles from one round to the next until the platform refuses something, and
 * from then on adds one a round, and shrinks with each refusal. Where the platform has said how many invocations it takes
 * in a minute, no more are made: what is refused counts, too.
 */

/** What is left of a window after a refusal. */
const decrease = 0.75

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

/** So many pieces have reported. */
export const grown = (window: Window, done: number, now: number): Window =>
  now < window.pausedUntil || done === 0
    ? window
    : { ...window, size: window.size + (window.isKnown ? done / window.size : done) }

/** Why the platform has refused something, and from when on it may be asked again, milliseconds since the epoch. */
export interface Refusal {
  until: number
  /** What it takes in a minute, where that was the reason. */
  perMinute?: number
}

/** The platform has refused something: for the minute, or for what is under way. @param underWay what it has taken */
export function shrunk(window: Window, { until, perMinute }: Refusal, underWay: number): Window {
  const paused = { ...window, isKnown: true, pausedUntil: Math.max(window.pausedUntil, until) }
  return perMinute === undefined
    ? { ...paused, size: Math.max(1, Math.min(window.size, underWay) * decrease) }
    : { ...paused, perMinute }
}
