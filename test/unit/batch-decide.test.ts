import fc from 'fast-check'
import { hasTooManyErrors, nextTurn, type Observed, type Turn } from '../../src/batch/running/decide'
import type { ClosingBatch, EndedBatch, OpenBatch, Piece } from '../../src/batch/state/batch'
import { type Chunk, type Part, partKey } from '../../src/batch/state/layout'
import { beginClosing, ended, nextRun } from '../../src/batch/state/transitions'
import { batchOf, minutes, windowOf } from './batch-fixtures'

const now = Date.parse('2026-11-22T08:00:00Z')
const noUsage = { classifyMs: 0, aggregateMs: 0, containers: [] }

const observe = (changes: Partial<Observed> = {}): Observed => ({
  now,
  epoch: 1,
  ready: [],
  parts: [],
  ended: new Map(),
  sent: [],
  isLate: false,
  ...changes,
})

/** Chunks of this many images each, up to a position. */
const chunksOf = (size: number, planned: number): Chunk[] =>
  Array.from({ length: Math.ceil(planned / size) }, (_, n) => ({
    start: n * size,
    end: Math.min((n + 1) * size, planned),
    epoch: 1,
  }))

const part = (start: number, end: number, errors = 0, id = 'a1'): Part => ({
  key: partKey('b1', { start, end, errors }, id),
  start,
  end,
  errors,
})

const under = (start: number, end: number, changes: Partial<Piece> = {}): Piece => ({
  start,
  end,
  chunk: { start, end, epoch: 1 },
  at: now,
  attempts: 1,
  by: 1,
  activationId: `of ${start}`,
  ...changes,
})

type Changes = Parameters<typeof batchOf>[2]
const planned = (count: number, changes: Changes = {}): OpenBatch =>
  batchOf(
    'photos',
    {},
    {
      ...changes,
      plan: { planned: count, listed: count, done: true, ...changes?.plan },
      dispatch: { ...changes?.dispatch },
    },
  )

/** A batch with only these pieces in flight. */
const withPieces = (pieces: Piece[], changes: Changes = {}): OpenBatch =>
  planned(Math.max(...pieces.map(({ end }) => end)), {
    ...changes,
    dispatch: { next: Math.max(...pieces.map(({ end }) => end)), pieces, ...changes?.dispatch },
  })

const piecesOf = ({ batch }: Turn) => batch.dispatch.pieces.map(({ start, end, at }) => [start, end, at > 0])

describe('a turn', () => {
  it('fills the window and records pieces before they are dispatched', () => {
    const batch = planned(100, { dispatch: { window: windowOf(2) } })
    const turn = nextTurn(batch, observe({ ready: chunksOf(25, 100) }))
    expect(turn.toDispatch).toMatchObject([
      { start: 0, end: 25, attempts: 1, at: now },
      { start: 25, end: 50 },
    ])
    expect(turn.batch.dispatch).toMatchObject({ next: 50, pieces: turn.toDispatch })
  })

  it('dispatches only published chunks', () => {
    const turn = nextTurn(planned(50, { plan: { done: false } }), observe({ ready: chunksOf(25, 100) }))
    expect(turn.toDispatch).toHaveLength(2)
  })

  it('dispatches nothing when the activation is about to end', () => {
    expect(nextTurn(planned(50), observe({ ready: chunksOf(25, 50), isLate: true })).toDispatch).toEqual([])
  })

  it('records dispatched pieces and keeps refused ones waiting', () => {
    const pieces = [under(0, 25, { activationId: undefined }), under(25, 50, { activationId: undefined })]
    const [one, two] = pieces as [Piece, Piece]
    const sent = [
      { piece: one, activationId: 'a1' },
      { piece: two, refusal: { until: now + 2_000 } },
    ]
    const { batch, toDispatch } = nextTurn(withPieces(pieces), observe({ sent }))
    expect(batch.dispatch.pieces).toMatchObject([{ activationId: 'a1', at: now }, { at: 0 }])
    expect(toDispatch).toEqual([])
    const again = nextTurn(batch as OpenBatch, observe({ now: now + 3_000, parts: [part(0, 25)] }))
    expect(again.toDispatch).toMatchObject([{ start: 25, end: 50, attempts: 1 }])
  })

  it('widens the window by accepted pieces before any reports', () => {
    let batch = planned(10_000)
    let sent: Observed['sent'] = []
    const given: number[] = []
    for (let time = now; given.length < 5; time += 250) {
      const ready = chunksOf(10, 10_000).filter(({ start }) => start >= batch.dispatch.next)
      const turn = nextTurn(batch, observe({ now: time, ready, sent }))
      sent = turn.toDispatch.map((piece) => ({ piece, activationId: `of ${piece.start}` }))
      given.push(turn.toDispatch.length)
      batch = turn.batch as OpenBatch
    }
    expect(given).toEqual([32, 32, 64, 128, 0])
  })

  it('dispatches again what an earlier holder may not have dispatched', () => {
    const unknown = under(0, 25, { activationId: undefined, by: 1 })
    expect(nextTurn(withPieces([unknown]), observe({ epoch: 2 })).toDispatch).toMatchObject([
      { start: 0, by: 2 },
    ])
  })

  it('removes pieces that parts cover, however they are cut, and counts each error once', () => {
    const batch = withPieces([under(0, 10), under(10, 20)])
    const parts = [part(0, 4, 1), part(2, 10, 2, 'a2'), part(10, 15, 5), part(10, 14, 4, 'a3')]
    const { batch: next } = nextTurn(batch, observe({ parts }))
    expect(next.dispatch.pieces).toMatchObject([{ start: 10, end: 20 }])
    expect(next.dispatch.errors).toBe(3)
  })

  it('closes the batch when everything is planned, dispatched and reported', () => {
    const batch = withPieces([under(0, 10)])
    expect(nextTurn(batch, observe({ parts: [part(0, 10)] })).batch).toMatchObject({
      status: 'closing',
      outcome: 'complete',
    })
    const open = { ...batch, plan: { ...batch.plan, done: false } }
    expect(nextTurn(open, observe({ parts: [part(0, 10)] })).batch.status).toBe('open')
    const late = { position: { ...batch.plan, planned: 20 }, parts: [part(0, 10)] }
    expect(nextTurn(batch, observe(late)).batch.status).toBe('open')
  })

  it('closes a cancelled batch and keeps the pieces in flight', () => {
    const { batch, toDispatch } = nextTurn(
      withPieces([under(0, 10)], { cancelRequested: true }),
      observe({ ready: chunksOf(10, 20) }),
    )
    expect(batch).toMatchObject({ status: 'closing', outcome: 'cancelled' })
    expect(batch.dispatch.pieces).toHaveLength(1)
    expect(toDispatch).toEqual([])
  })

  it('stops a batch after repeated failures, unless something was reported since', () => {
    const failure = { code: 'access_denied', message: 'No', count: 3 }
    const batch = withPieces([under(0, 10), under(10, 20)], { failure })
    expect(nextTurn(batch, observe()).batch).toMatchObject({
      outcome: 'stopped',
      reason: 'No (access_denied)',
    })
    expect(nextTurn(batch, observe({ parts: [part(0, 10)] })).batch.failure).toBeUndefined()
    const twice = { ...batch, failure: { ...failure, count: 2 } }
    expect(nextTurn(twice, observe()).batch.status).toBe('open')
  })

  it('keeps a day of uploads open until it is over and has reported', () => {
    const day = withPieces([under(0, 10)], { batch: 'uploads-2026-11-22', kind: 'uploads' })
    const at = (time: string) => observe({ parts: [part(0, 10)], now: Date.parse(time) })
    expect(nextTurn(day, at('2026-11-22T23:59:00Z')).batch.status).toBe('open')
    expect(nextTurn(day, at('2026-11-23T00:14:00Z')).batch.status).toBe('open')
    expect(nextTurn(day, at('2026-11-23T00:16:00Z')).batch.status).toBe('closing')
  })
})

describe('a piece that does not report', () => {
  const later = now + minutes(9)

  it('is dispatched again in halves once it is overdue', () => {
    const batch = withPieces([under(0, 10)])
    expect(piecesOf(nextTurn(batch, observe({ now: now + minutes(7) })))).toEqual([[0, 10, true]])
    const { toDispatch } = nextTurn(batch, observe({ now: later }))
    expect(toDispatch.map(({ start, end, chunk }) => [start, end, chunk.end])).toEqual([
      [0, 5, 10],
      [5, 10, 10],
    ])
  })

  it('is dispatched again only where positions are missing', () => {
    const { toDispatch } = nextTurn(withPieces([under(0, 10)]), observe({ now: later, parts: [part(2, 10)] }))
    expect(toDispatch).toMatchObject([
      { start: 0, end: 1 },
      { start: 1, end: 2 },
    ])
  })

  it('is retried as soon as its activation has ended', () => {
    const ended = new Map([['of 0', {}]])
    const { batch } = nextTurn(withPieces([under(0, 10)]), observe({ ended, now: now + 1_000 }))
    expect(batch.dispatch.pieces).toMatchObject([{ ended: true }])
    expect(nextTurn(batch as OpenBatch, observe({ now: now + 6_000 })).toDispatch).toHaveLength(2)
  })

  it('has all its attempts again in a run fired after a stop', () => {
    const pieces = [under(0, 1, { attempts: 4, ended: true }), under(1, 2, { attempts: 4, at: 0 })]
    const stopped = ended(beginClosing(withPieces(pieces), 'stopped') as ClosingBatch, noUsage) as EndedBatch
    const again = nextRun(stopped, { request: stopped.request, requestId: 'r2' }) as OpenBatch
    const { toDispatch } = nextTurn(again, observe({ now: now + minutes(1), epoch: 2 }))
    expect(toDispatch.map(({ attempts }) => attempts)).toEqual([1, 1])
  })

  it('is followed to the activation that classifies its rest', () => {
    const ended = new Map([['of 0', { next: 'b2' }]])
    const { batch } = nextTurn(withPieces([under(0, 10)]), observe({ ended, now: now + 1_000 }))
    expect(batch.dispatch.pieces).toMatchObject([{ activationId: 'b2', at: now + 1_000 }])
    expect(batch.dispatch.pieces[0]).not.toHaveProperty('ended')
  })

  it('is halved down to one image, which is lost after five attempts with growing backoff', () => {
    let batch = withPieces([under(0, 2)])
    let time = now
    const tries: number[] = []
    for (let turn = 0; turn < 400; turn++) {
      time += 1_000
      const ended = new Map(batch.dispatch.pieces.map(({ activationId = '' }) => [activationId, {}]))
      const parts = [part(1, 2)]
      const next = nextTurn(batch, observe({ now: time, ended, parts }))
      if (next.lost.length > 0) {
        expect(next.lost).toMatchObject([{ start: 0, end: 1, attempts: 5 }])
        expect(next.batch.dispatch.pieces).toHaveLength(1)
        expect(tries).toHaveLength(5)
        expect(tries).toEqual([...tries].sort((a, b) => a - b))
        return
      }
      for (const { start, end } of next.toDispatch) if (end - start === 1 && start === 0) tries.push(time)
      batch = next.batch as OpenBatch
      batch.dispatch.pieces = batch.dispatch.pieces.map((piece) => ({
        ...piece,
        activationId: piece.at > 0 ? `${piece.start} at ${piece.at}` : undefined,
      }))
    }
    throw new Error('It was never given up')
  })

  it('loses no attempt when the platform refuses it', () => {
    const waiting = under(0, 1, { at: 0, attempts: 4, activationId: undefined })
    expect(nextTurn(withPieces([waiting]), observe({ now: later })).toDispatch).toMatchObject([
      { attempts: 4 },
    ])
  })

  it('never leaves a position out, whatever is reported, lost or refused', () => {
    const anyEvent = fc.record({
      seconds: fc.integer({ min: 1, max: 700 }),
      reported: fc.array(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 9 })), { maxLength: 3 }),
      refuses: fc.boolean(),
      dies: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 12 }), fc.integer({ min: 1, max: 12 }), (events, size) => {
        let batch = planned(30)
        let time = now
        let sent: Observed['sent'] = []
        const parts: Part[] = []
        const chunks = chunksOf(size, 30)
        for (const { seconds, reported, refuses, dies } of events) {
          time += seconds * 1_000
          for (const [start, length] of reported) parts.push(part(start, Math.min(30, start + length)))
          const ids = batch.dispatch.pieces.flatMap(({ activationId }) => activationId ?? [])
          const ready = chunks.filter(({ start }) => start >= batch.dispatch.next)
          const ended = new Map(dies ? ids.map((id) => [id, {}]) : [])
          const turn = nextTurn(batch, observe({ now: time, parts, ready, ended, sent }))
          if (turn.batch.status !== 'open') return
          batch = turn.batch as OpenBatch
          sent = turn.toDispatch.map((piece) =>
            refuses ? { piece, refusal: { until: time } } : { piece, activationId: `${piece.start}@${time}` },
          )
          const held = [...batch.dispatch.pieces, ...parts, { start: batch.dispatch.next, end: 30 }]
          for (let position = 0; position < 30; position++)
            expect(held.some(({ start, end }) => start <= position && position < end)).toBe(true)
        }
      }),
    )
  })
})

describe('maxErrors', () => {
  const limited = (maxErrors: string, next: number, errors: number) =>
    batchOf('photos', { maxErrors }, { dispatch: { next, errors } })

  it('as a percentage applies from twenty images on', () => {
    expect(hasTooManyErrors(limited('5%', 19, 19))).toBe(false)
    expect(hasTooManyErrors(limited('5%', 100, 5))).toBe(false)
    expect(hasTooManyErrors(limited('5%', 100, 6))).toBe(true)
  })

  it('applies to what came since the last fire', () => {
    const batch = limited('2', 100, 10)
    batch.dispatch.before = { reported: 50, errors: 8 }
    expect(hasTooManyErrors(batch)).toBe(false)
    expect(hasTooManyErrors({ ...batch, dispatch: { ...batch.dispatch, errors: 11 } })).toBe(true)
  })
})
