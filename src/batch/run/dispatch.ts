import { OpenWhiskError } from '../../errors'
import { log } from '../../log'
import type { OpenWhisk } from '../../openwhisk/client'
import type { Range } from '../../schema'
import type { Part } from '../layout'
import type { Outstanding, Plan } from '../plan/plan'
import { gaps } from './coverage'
import { grow, shrink, type Window } from './window'

/** What `classify` is given for a piece of a batch: positions `start` to `end` of the chunk that holds them. */
export interface ChunkMessage extends Range {
  batch: string
  chunk: Range
  model: string
}

/** What the activation in charge of a batch dispatches its chunks with. */
export interface Dispatcher {
  /** Does not retry throttled calls itself: they steer the window. */
  openwhisk: Pick<OpenWhisk, 'invoke' | 'resultOf'>
  /** Full name of the sequence that classifies a chunk. */
  sequence: string
  window: Window
  /** Says that this activation is still in charge: many calls take longer than a lease. @returns false when it is not */
  renew(): Promise<boolean>
  /** Stores the plan; fails when somebody else has taken charge. */
  save(plan: Plan): Promise<void>
}

/** Dispatches what the window has room for, up to a position: every chunk before it is written already. */
export async function dispatchReady(plan: Plan, ready: number, dispatcher: Dispatcher): Promise<void> {
  const { window, renew } = dispatcher
  while (
    plan.next < ready &&
    plan.outstanding.length < Math.floor(window.size) &&
    Date.now() >= window.pausedUntil &&
    (await renew())
  ) {
    const chunk = chunkAt(plan, plan.next)
    const activationId = await dispatch(plan, { ...chunk, chunk }, dispatcher)
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
export async function dispatch(
  { batch, model }: Plan,
  { start, end, chunk }: Pick<Outstanding, 'start' | 'end' | 'chunk'>,
  { openwhisk, sequence, window }: Dispatcher,
): Promise<string | undefined> {
  const message: ChunkMessage = { batch, chunk, start, end, model }
  try {
    return await openwhisk.invoke(sequence, message)
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
  grow(window, reported.length)
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
