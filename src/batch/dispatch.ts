import { OpenWhiskError } from '../errors'
import { log } from '../log'
import type { OpenWhisk } from '../openwhisk/client'
import type { Range } from '../schema'
import { gaps } from './coverage'
import type { Part } from './layout'
import type { Outstanding, Plan } from './plan'

/** What `classify` is given for a piece of a batch: positions `start` to `end` of the chunk that holds them. */
export interface ChunkMessage extends Range {
  batch: string
  chunk: Range
  model: string
}

/** How many chunks may be under way; adapts to what the platform takes (additive increase, multiplicative decrease). */
export interface Window {
  size: number
  /** No dispatch before this time, milliseconds since the epoch. */
  pausedUntil: number
}

export const openWindow = (): Window => ({ size: 8, pausedUntil: 0 })

const longestPause = 10_000

/** The platform has no room: half as many at a time, after a jittered pause. */
function shrink(window: Window): void {
  window.size = Math.max(1, window.size / 2)
  window.pausedUntil = Date.now() + Math.random() * longestPause
}

/**
 * Dispatches what the window has room for. Every chunk it names is written already.
 * @param openwhisk a client that does not retry throttled calls itself: they steer the window
 */
export async function dispatchReady(
  plan: Plan,
  ready: number,
  window: Window,
  openwhisk: OpenWhisk,
  action: string,
) {
  while (
    plan.next < ready &&
    plan.outstanding.length < Math.floor(window.size) &&
    Date.now() >= window.pausedUntil
  ) {
    const chunk = chunkAt(plan, plan.next)
    if (!(await dispatch(plan, { ...chunk, chunk, at: 0, attempts: 1 }, window, openwhisk, action))) return
    plan.next = chunk.end
  }
}

/** The chunk that begins at a position: chunks are of one size, but for the last of a pass. */
function chunkAt({ passes, planned, chunkSize }: Plan, start: number): Range {
  const passEnd = passes.find((first) => first > start) ?? planned
  return { start, end: Math.min(start + chunkSize, passEnd) }
}

async function dispatch(
  plan: Plan,
  piece: Outstanding,
  window: Window,
  openwhisk: OpenWhisk,
  action: string,
) {
  const { start, end, chunk } = piece
  const message: ChunkMessage = { batch: plan.batch, chunk, start, end, model: plan.model }
  try {
    await openwhisk.invoke(action, message)
  } catch (thrown) {
    if (!(thrown instanceof OpenWhiskError && thrown.retryable)) throw thrown
    log.info({ batch: plan.batch, window: window.size, reason: thrown.message }, 'the platform has no room')
    shrink(window)
    return false
  }
  plan.outstanding.push({ ...piece, at: Date.now() })
  return true
}

/**
 * Takes the pieces that are reported off the list.
 * @param parts all parts from the oldest outstanding position on
 */
export function settle(plan: Plan, parts: Part[], window: Window): void {
  const isReported = (piece: Outstanding) => gaps(piece, parts).length === 0
  const reported = plan.outstanding.filter(isReported)
  plan.outstanding = plan.outstanding.filter((piece) => !reported.includes(piece))
  for (const { start, end } of reported) {
    const within = parts.filter((part) => part.start >= start && part.end <= end)
    plan.errors += within.reduce((sum, { errors }) => sum + errors, 0)
  }
  if (Date.now() >= window.pausedUntil) window.size += reported.length / window.size
}

/**
 * Dispatches again what did not report in time, in halves, so that one image that kills its container is found.
 * @returns single images that were tried often enough: they are lost
 */
export async function redispatchOverdue(
  plan: Plan,
  parts: Range[],
  { overdueAfter, maxAttempts }: { overdueAfter: number; maxAttempts: number },
  window: Window,
  openwhisk: OpenWhisk,
  action: string,
): Promise<Outstanding[]> {
  const lost: Outstanding[] = []
  const overdue = plan.outstanding.filter(({ at }) => Date.now() - at > overdueAfter)
  for (const piece of overdue) {
    const pieces = gaps(piece, parts).flatMap(halves)
    const single = piece.end - piece.start === 1
    if (single && piece.attempts >= maxAttempts) {
      lost.push(piece)
      continue
    }
    plan.outstanding.splice(plan.outstanding.indexOf(piece), 1)
    for (const [index, half] of pieces.entries()) {
      const attempts = single ? piece.attempts + 1 : 1
      const again = { ...half, chunk: piece.chunk, at: 0, attempts }
      if (await dispatch(plan, again, window, openwhisk, action)) continue
      // No room: it stays on the list as overdue, and so its turn comes again.
      plan.outstanding.push(...pieces.slice(index).map((rest) => ({ ...again, ...rest })))
      break
    }
  }
  return lost
}

function halves({ start, end }: Range): Range[] {
  if (end - start === 1) return [{ start, end }]
  const middle = Math.floor((start + end) / 2)
  return [
    { start, end: middle },
    { start: middle, end },
  ]
}
