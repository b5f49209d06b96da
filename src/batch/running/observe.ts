import pLimit from 'p-limit'
import type { Range } from '../../schema'
import type { Bucket } from '../../storage/store'
import { chunksFrom } from '../records/chunks'
import { listParts } from '../records/parts'
import type { OpenBatch, Piece } from '../state/batch'
import type { Part } from '../state/layout'
import type { Context } from '../state/platform'
import { joined } from './coverage'
import type { Observed } from './decide'

/** How often the platform is asked after an activation, milliseconds: most report within that time. */
const askEvery = 5_000
/** So many activations are asked after in one turn, and at a time. */
const maxAsked = 64
const askAtOnce = 8

/** So many chunks are looked up at a time: a page of their listing. */
const maxReady = 1_000

/** A page of a listing holds so many parts: a longer stretch without anything under way is not listed. */
const pageLength = 1_000

/** What of a batch is looked at in each turn. */
export type Seen = Pick<Observed, 'ready' | 'parts' | 'ended'>
export const nothingSeen: Seen = { ready: [], parts: [], ended: new Map() }

export function openObserver({ results, openwhisk, clock }: Context) {
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
      .slice(0, maxAsked)
    const limit = pLimit(askAtOnce)
    const ask = async (activationId: string): Promise<void> => {
      const result = await openwhisk.resultOf(activationId)
      asked.set(activationId, clock.now())
      if (result) ended.set(activationId, typeof result.next === 'string' ? { next: result.next } : {})
    }
    await Promise.all(due.map(({ activationId }) => limit(ask, activationId)))
    return ended
  }

  /** All that may hold something of what is under way: listed from the oldest chunk on, past long stretches that have reported. */
  async function partsOf(batch: string, pieces: Piece[]): Promise<Part[]> {
    const found = await Promise.all(stretches(pieces).map((stretch) => partsWithin(results, batch, stretch)))
    return found.flat()
  }

  return {
    observe: async ({ batch, plan, dispatch: { next, pieces, window } }: OpenBatch): Promise<Seen> => {
      const hasRoom = pieces.length < window.size && clock.now() >= window.pausedUntil
      const readying = next < plan.planned && hasRoom ? chunksFrom(results, batch, plan, next, maxReady) : []
      // Parts of what has ended are only certain to be seen in a listing that begins later.
      const looking = endedOf(pieces).then(async (ended) => ({ ended, parts: await partsOf(batch, pieces) }))
      const [ready, { ended, parts }] = await Promise.all([readying, looking])
      return { ready, ended, parts }
    },
  }
}

/** Where parts of pieces under way may lie, in order. A late report may be of a whole chunk. */
export function stretches(pieces: Pick<Piece, 'chunk'>[]): Range[] {
  const found: Range[] = []
  for (const { start, end } of joined(pieces.map(({ chunk }) => chunk))) {
    const last = found.at(-1)
    if (last && start - last.end < pageLength * (end - start)) last.end = end
    else found.push({ start, end })
  }
  return found
}

async function partsWithin(results: Bucket, batch: string, { start, end }: Range): Promise<Part[]> {
  const parts: Part[] = []
  for await (const part of listParts(results, batch, start)) {
    if (part.start >= end) break
    parts.push(part)
  }
  return parts
}
