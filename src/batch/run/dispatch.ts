import pLimit from 'p-limit'
import { OpenWhiskError } from '../../errors'
import { log } from '../../log'
import type { OpenWhisk } from '../../openwhisk/client'
import type { Range } from '../../schema'
import type { Part } from '../layout'
import type { Outstanding, Plan } from '../plan/plan'
import { gaps } from './coverage'

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

/** Says that this activation is still in charge: many calls take longer than a lease. @returns false when it is not */
export type Renew = () => Promise<boolean>

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
  renew: Renew = async () => true,
) {
  while (
    plan.next < ready &&
    plan.outstanding.length < Math.floor(window.size) &&
    Date.now() >= window.pausedUntil &&
    (await renew())
  ) {
    const chunk = chunkAt(plan, plan.next)
    const activationId = await dispatch(plan, { ...chunk, chunk }, window, openwhisk, action)
    if (activationId === undefined) return
    plan.outstanding.push({ ...chunk, chunk, at: Date.now(), attempts: 1, activationId })
    plan.next = chunk.end
  }
}

/** The chunk that begins at a position: chunks are of one size, but for the last of a pass or up to a cut. */
function chunkAt({ passes, planned, chunkSize, cuts }: Plan, start: number): Range {
  const passEnd = passes.find((first) => first > start) ?? planned
  const alike = cuts?.find(({ end }) => end > start) ?? { end: passEnd, chunkSize }
  return { start, end: Math.min(start + alike.chunkSize, alike.end) }
}

/** @returns the activation's id, or undefined when the platform has no room */
async function dispatch(
  { batch, model }: Plan,
  { start, end, chunk }: Pick<Outstanding, 'start' | 'end' | 'chunk'>,
  window: Window,
  openwhisk: OpenWhisk,
  action: string,
): Promise<string | undefined> {
  const message: ChunkMessage = { batch, chunk, start, end, model }
  try {
    return await openwhisk.invoke(action, message)
  } catch (thrown) {
    if (!(thrown instanceof OpenWhiskError && thrown.retryable)) throw thrown
    log.info({ batch, window: window.size, reason: thrown.message }, 'the platform has no room')
    shrink(window)
    return undefined
  }
}

/**
 * Takes the pieces that are reported off the list.
 * @param parts by name, all that may hold something of an outstanding piece
 */
export function settle(plan: Plan, parts: Part[], window: Window): void {
  const isReported = (piece: Outstanding) => gaps(piece, parts).length === 0
  const reported = plan.outstanding.filter(isReported)
  plan.outstanding = plan.outstanding.filter((piece) => !reported.includes(piece))
  for (const piece of reported) plan.errors += errorsOf(piece, parts)
  if (Date.now() >= window.pausedUntil) window.size += reported.length / window.size
}

/** How many images of a reported piece are in error: an estimate where parts overlap or hold more than the piece. */
function errorsOf({ start, end }: Range, parts: Part[]): number {
  let errors = 0
  let next = start
  for (const part of parts) {
    if (part.end <= next || part.start >= end) continue
    errors += part.errors
    next = part.end
  }
  return Math.min(errors, end - start)
}

/** How often the platform is asked after an activation, milliseconds: most report within that time. */
const askEvery = 5_000
const askAtOnce = 8

/** Marks the pieces whose activations have ended. What they wrote is only certain to be seen in parts listed later. */
export async function markEnded(
  plan: Plan,
  openwhisk: OpenWhisk,
  renew: Renew = async () => true,
): Promise<void> {
  const limit = pLimit(askAtOnce)
  const ask = async (piece: Outstanding): Promise<void> => {
    const { at, askedAt = at, activationId, ended } = piece
    if (ended || at === 0 || !activationId || Date.now() - askedAt < askEvery || !(await renew())) return
    piece.ended = await openwhisk.hasEnded(activationId)
    piece.askedAt = Date.now()
  }
  await Promise.all(plan.outstanding.map((piece) => limit(ask, piece)))
}

/** Whether a piece's activation died: it has ended, and nothing of the piece is there. A part of it has a successor. */
const isDead = ({ ended, start, end }: Outstanding, parts: Range[]): boolean =>
  ended === true && !parts.some((part) => part.start < end && part.end > start)

/**
 * Dispatches again what died or did not report in time, in halves, so that one image that kills its container is found.
 * @param save stores the plan with the halves before they are dispatched: without them, the report of one half would
 *   look to a successor like a part of the whole, whose rest somebody else goes on with
 * @returns single images that were tried often enough: they are lost
 */
export async function redispatchOverdue(
  plan: Plan,
  parts: Range[],
  { overdueAfter, maxAttempts }: { overdueAfter: number; maxAttempts: number },
  window: Window,
  openwhisk: OpenWhisk,
  action: string,
  save: () => Promise<void> = async () => {},
): Promise<Outstanding[]> {
  const lost: Outstanding[] = []
  const waiting: Outstanding[] = []
  const isOverdue = (piece: Outstanding) => Date.now() - piece.at > overdueAfter || isDead(piece, parts)
  for (const piece of plan.outstanding.filter(isOverdue)) {
    // The platform had no room for it: that was no attempt, and so no reason to halve it.
    const tried = piece.at > 0
    const single = piece.end - piece.start === 1
    if (tried && single && piece.attempts >= maxAttempts) {
      lost.push(piece)
      continue
    }
    if (Date.now() < window.pausedUntil) continue
    const missing = gaps(piece, parts)
    const attempts = piece.attempts + (tried && single ? 1 : 0)
    const again = (tried ? missing.flatMap(halves) : missing).map((range) => ({
      ...range,
      chunk: piece.chunk,
      at: 0,
      attempts,
    }))
    // On the list before anything can fail: what is on no list is forgotten.
    plan.outstanding.splice(plan.outstanding.indexOf(piece), 1, ...again)
    waiting.push(...again)
  }
  if (waiting.length > 0) await save()
  for (const half of waiting) {
    const activationId = await dispatch(plan, half, window, openwhisk, action)
    if (activationId === undefined) break
    Object.assign(half, { activationId, at: Date.now() })
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
