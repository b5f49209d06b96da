import pLimit from 'p-limit'
import type { Range } from '../../schema'
import type { Outstanding, Plan } from '../plan/plan'
import { gaps } from './coverage'
import { type Dispatcher, dispatch } from './dispatch'

/** How often the platform is asked after an activation, milliseconds: most report within that time. */
const askEvery = 5_000
const askAtOnce = 8

/** What has not reported for so long is dispatched again, milliseconds: longer than the sequence's time limit and a queue. */
const overdueAfter = 8 * 60_000

/** How often a single image is tried before it is given up. */
const maxAttempts = 5

/** Before what died is dispatched again, milliseconds from its dispatch on; doubles with each attempt of an image. */
const firstPause = 5_000

/** Whether a piece is to be given to another activation. What dies at once may die of something that passes. */
function isOverdue({ at, attempts, ended }: Outstanding): boolean {
  const pause = firstPause * 2 ** (attempts - 1)
  return Date.now() - at > (ended ? Math.min(pause, overdueAfter) : overdueAfter)
}

/**
 * Asks the platform after the activations that were given something, and marks the pieces of those that have ended. One
 * that stopped early names the activation that goes on with the rest, which is looked after in its place. What they
 * wrote is only certain to be seen in parts listed later.
 */
export async function markEnded(plan: Plan, { openwhisk, renew }: Dispatcher): Promise<void> {
  const limit = pLimit(askAtOnce)
  const ask = async (piece: Outstanding): Promise<void> => {
    const { at, askedAt = at, activationId, ended } = piece
    if (ended || at === 0 || !activationId || Date.now() - askedAt < askEvery || !(await renew())) return
    const result = await openwhisk.resultOf(activationId)
    piece.askedAt = Date.now()
    if (typeof result?.next === 'string') Object.assign(piece, { activationId: result.next, at: Date.now() })
    else piece.ended = result !== undefined
  }
  await Promise.all(plan.outstanding.map((piece) => limit(ask, piece)))
}

/**
 * Dispatches again what died or did not report in time, in halves, so that one image that kills its container is found.
 * The plan is saved with the halves before they are dispatched: whoever takes over would not know of them, nor of the
 * attempt.
 * @param parts listed after pieces were marked as ended
 * @returns single images that were tried often enough: they are lost
 */
export async function redispatchOverdue(
  plan: Plan,
  parts: Range[],
  dispatcher: Dispatcher,
): Promise<Outstanding[]> {
  const { window, renew, save } = dispatcher
  const lost: Outstanding[] = []
  const waiting: Outstanding[] = []
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
  if (waiting.length > 0) await save(plan)
  for (const half of waiting) {
    const activationId = (await renew()) ? await dispatch(plan, half, dispatcher) : undefined
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
