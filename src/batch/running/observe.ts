import pLimit from 'p-limit'
import type { Range } from '../../schema'
import type { Bucket } from '../../storage/store'
import { chunksFrom } from '../records/chunks'
import { listParts } from '../records/parts'
import type { OpenBatch, Piece } from '../state/batch'
import type { Part } from '../state/layout'
import type { Context } from '../state/platform'
import { mergeRanges } from './coverage'
import type { Observed } from './decide'

/** Interval between polls of one activation, milliseconds. Most activations report within it. */
const pollEvery = 5_000
/** Activations polled per turn, and concurrently. */
const maxPolled = 64
const pollsAtOnce = 8

/** Chunks listed ahead: one page. */
const maxReady = 1_000

/** Parts per page of a listing. A longer span without pieces in flight is skipped. */
const pageLength = 1_000

/** What is read of a batch in each turn. */
export type Observation = Pick<Observed, 'ready' | 'parts' | 'ended'>
export const emptyObservation: Observation = { ready: [], parts: [], ended: new Map() }

export function openObserver({ results, openwhisk, clock }: Context) {
  const polled = new Map<string, number>()

  /** Polls the activations that were polled longest ago. */
  async function pollEnded(pieces: Piece[]): Promise<Observed['ended']> {
    const ended: Observed['ended'] = new Map()
    const now = clock.now()
    const due = pieces
      .flatMap(({ activationId, at, ended: isKnown }) =>
        activationId === undefined || isKnown
          ? []
          : [{ activationId, askedAt: polled.get(activationId) ?? at }],
      )
      .filter(({ askedAt }) => now - askedAt >= pollEvery)
      .sort((a, b) => a.askedAt - b.askedAt)
      .slice(0, maxPolled)
    const limit = pLimit(pollsAtOnce)
    const poll = async (activationId: string): Promise<void> => {
      const result = await openwhisk.resultOf(activationId)
      polled.set(activationId, clock.now())
      if (result) ended.set(activationId, typeof result.next === 'string' ? { next: result.next } : {})
    }
    await Promise.all(due.map(({ activationId }) => limit(poll, activationId)))
    return ended
  }

  /** Lists the parts that may cover pieces in flight, skipping long spans that have reported. */
  async function listCovering(batch: string, pieces: Piece[]): Promise<Part[]> {
    const found = await Promise.all(spansOf(pieces).map((stretch) => partsWithin(results, batch, stretch)))
    return found.flat()
  }

  return {
    observe: async ({ batch, plan, dispatch: { next, pieces, window } }: OpenBatch): Promise<Observation> => {
      const hasRoom = pieces.length < window.size && clock.now() >= window.pausedUntil
      const readying = next < plan.planned && hasRoom ? chunksFrom(results, batch, plan, next, maxReady) : []
      // List after polling: only a later listing is certain to contain the parts of ended activations.
      const looking = pollEnded(pieces).then(async (ended) => ({
        ended,
        parts: await listCovering(batch, pieces),
      }))
      const [ready, { ended, parts }] = await Promise.all([readying, looking])
      return { ready, ended, parts }
    },
  }
}

/** The ranges where parts of pieces in flight may lie, sorted. A late report may cover a whole chunk. */
export function spansOf(pieces: Pick<Piece, 'chunk'>[]): Range[] {
  const found: Range[] = []
  for (const { start, end } of mergeRanges(pieces.map(({ chunk }) => chunk))) {
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
