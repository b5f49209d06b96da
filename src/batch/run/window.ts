/** How many chunks may be under way; adapts to what the platform takes (additive increase, multiplicative decrease). */
export interface Window {
  size: number
  /** No dispatch before this time, milliseconds since the epoch. */
  pausedUntil: number
}

export const openWindow = (): Window => ({ size: 8, pausedUntil: 0 })

const longestPause = 10_000

/** The platform has no room: half as many at a time, after a jittered pause. */
export function shrink(window: Window): void {
  window.size = Math.max(1, window.size / 2)
  window.pausedUntil = Date.now() + Math.random() * longestPause
}

/** So many chunks were done: one more at a time after each round of them. */
export function grow(window: Window, done: number): void {
  if (Date.now() >= window.pausedUntil) window.size += done / window.size
}
