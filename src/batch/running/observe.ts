import pLimit from 'p-limit'
import { chunksFrom } from '../records/chunks'
import { listParts } from '../records/parts'
import type { OpenBatch, Piece } from '../state/batch'
import type { Part } from '../state/layout'
import type { Context } from '../state/platform'
import type { Observed } from './decide'

/** How often the platform is asked after an activation, milliseconds: most report within that time. */
const askEvery = 5_000
/** So many activations are asked after in one turn, and at a time. */
const mostAsked = 64
const askAtOnce = 8

/** So many chunks are looked up at a time. */
const mostReady = 256

/** What of a batch is looked at in each turn. */
export interface Observer {
  observe(batch: OpenBatch): Promise<Pick<Observed, 'ready' | 'parts' | 'ended'>>
}

export function openObserver({ results, openwhisk, clock }: Context): Observer {
  const asked = new Map<string, number>()

  /** Asks the platform after those that have not reported for longest. */
  async function endedOf(pieces: Piece[]): Promise<Observed['ended']> {
    const ended: Observed['ended'] = new Map()
    const now = clock.now()
    const due = pieces
      .flatMap(({ activationId, at, ended: isKnown }) =>
        activationId === undefined || isKnown
          ? []
          : [{ activationId, askedAt: asked.get(activationId) ?? at }],
      )
      .filter(({ askedAt }) => now - askedAt >= askEvery)
      .sort((a, b) => a.askedAt - b.askedAt)
      .slice(0, mostAsked)
    const limit = pLimit(askAtOnce)
    const ask = async (activationId: string): Promise<void> => {
      const result = await openwhisk.resultOf(activationId)
      asked.set(activationId, clock.now())
      if (result) ended.set(activationId, typeof result.next === 'string' ? { next: result.next } : {})
    }
    await Promise.all(due.map(({ activationId }) => limit(ask, activationId)))
    return ended
  }

  /** From the oldest chunk under way on, of which a late report may be whole: older parts need no second look. */
  async function partsOf(batch: string, pieces: Piece[]): Promise<Part[]> {
    const parts: Part[] = []
    if (pieces.length === 0) return parts
    const from = Math.min(...pieces.map(({ chunk }) => chunk.start))
    for await (const part of listParts(results, batch, from)) parts.push(part)
    return parts
  }

  return {
    observe: async ({ batch, plan, dispatch: { next, pieces, window } }) => {
      const hasRoom = pieces.length < window.size && clock.now() >= window.pausedUntil
      const ready =
        next < plan.planned && hasRoom ? await chunksFrom(results, batch, plan, next, mostReady) : []
      // Parts of what has ended are only certain to be seen in a listing that begins later.
      const ended = await endedOf(pieces)
      return { ready, ended, parts: await partsOf(batch, pieces) }
    },
  }
}
