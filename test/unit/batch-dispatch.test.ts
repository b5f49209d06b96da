import fc from 'fast-check'
import type { Part } from '../../src/batch/layout'
import type { Outstanding, Plan } from '../../src/batch/plan/plan'
import { type ChunkMessage, type Dispatcher, dispatchReady, settle } from '../../src/batch/run/dispatch'
import { markEnded, redispatchOverdue } from '../../src/batch/run/redispatch'
import { openWindow, type Window } from '../../src/batch/run/window'
import { OpenWhiskError } from '../../src/errors'
import type { OpenWhisk } from '../../src/openwhisk/client'
import type { Range } from '../../src/schema'
import { advanceClock, minutes, planOf, setClock, silentOpenWhisk } from './batch-fixtures'

const action = '/guest/whisklens/classify-images'

let sent: ChunkMessage[]
let window: Window

beforeEach(() => {
  setClock('2026-11-22T08:00:00Z')
  sent = []
  window = openWindow()
})
afterEach(() => jest.useRealTimers())

/** A platform that takes what it is given, unless told to refuse. */
const platform = (refuse: (message: ChunkMessage) => Error | undefined = () => undefined): OpenWhisk => ({
  ...silentOpenWhisk,
  invoke: async (name, params) => {
    expect(name).toBe(action)
    const refusal = refuse(params as ChunkMessage)
    if (refusal) throw refusal
    sent.push(params as ChunkMessage)
    return `a${sent.length}`
  },
})

/** What is dispatched with, to a platform that takes all it is given unless told otherwise. */
const through = (openwhisk = platform(), changes: Partial<Dispatcher> = {}): Dispatcher => ({
  openwhisk,
  sequence: action,
  window,
  renew: async () => true,
  save: async () => {},
  ...changes,
})

const throttled = () => new OpenWhiskError(429, 'Too many requests', { retryable: true })
const unauthorized = () => new OpenWhiskError(401, 'The supplied authentication is invalid')

const planned = (count: number, changes: Partial<Plan> = {}): Plan =>
  planOf('photos', {}, { planned: count, listed: count, done: true, chunkSize: 10, ...changes })

const piece = (start: number, end: number, changes: Partial<Outstanding> = {}): Outstanding => ({
  start,
  end,
  chunk: { start: Math.floor(start / 10) * 10, end: Math.floor(start / 10) * 10 + 10 },
  at: Date.now(),
  attempts: 1,
  ...changes,
})

const part = (start: number, end: number, errors = 0): Part => ({
  start,
  end,
  errors,
  key: `${start}-${end}`,
})

const ranges = (of: Range[]): [start: number, end: number][] => of.map(({ start, end }) => [start, end])

describe('dispatching', () => {
  it('gives each chunk to the sequence, as many as the window holds', async () => {
    const plan = planned(95)
    await dispatchReady(plan, 95, through())
    expect(sent).toHaveLength(8)
    expect(sent[0]).toEqual({ batch: 'b1', chunk: { start: 0, end: 10 }, start: 0, end: 10, model: 'tiny' })
    expect(plan.next).toBe(80)
    expect(plan.outstanding).toHaveLength(8)
    expect(plan.outstanding[0]).toEqual(piece(0, 10, { activationId: 'a1' }))
  })

  it('goes on where it stood once there is room', async () => {
    const plan = planned(95)
    await dispatchReady(plan, 95, through())
    settle(plan, [part(0, 10), part(70, 80)], window)
    await dispatchReady(plan, 95, through())
    expect(ranges(sent).slice(8)).toEqual([
      [80, 90],
      [90, 95],
    ])
    expect(plan.next).toBe(95)
  })

  it('does not go beyond what is written', async () => {
    const plan = planned(95)
    await dispatchReady(plan, 20, through())
    expect(ranges(sent)).toEqual([
      [0, 10],
      [10, 20],
    ])
  })

  it('keeps chunks within their pass', async () => {
    const plan = planned(25, { passes: [0, 13], next: 10 })
    await dispatchReady(plan, 25, through())
    expect(ranges(sent)).toEqual([
      [10, 13],
      [13, 23],
      [23, 25],
    ])
  })

  it('names every position exactly once, for any passes and sizes', async () => {
    const passes = fc.array(fc.nat(40), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(passes, fc.integer({ min: 1, max: 15 }), async (lengths, chunkSize) => {
        sent = []
        let count = 0
        const starts = lengths.map((length) => {
          count += length
          return count - length
        })
        const plan = planned(count, { passes: starts, chunkSize })
        await dispatchReady(plan, count, through(platform(), { window: { size: 1000, pausedUntil: 0 } }))
        const positions = sent.flatMap(({ start, end }) =>
          Array.from({ length: end - start }, (_, index) => start + index),
        )
        expect(positions).toEqual(Array.from({ length: count }, (_, at) => at))
        for (const { start, end } of sent) {
          expect(end - start).toBeLessThanOrEqual(chunkSize)
          expect(starts.some((first) => start < first && first < end)).toBe(false)
        }
      }),
    )
  })
})

describe('an activation that is no longer in charge', () => {
  it('dispatches nothing more', async () => {
    const plan = planned(80)
    let turns = 0
    await dispatchReady(plan, 80, through(platform(), { renew: async () => ++turns <= 3 }))
    expect(sent).toHaveLength(3)
    expect(plan.next).toBe(30)
  })
})

describe('an activation that loses its lease while it dispatches again', () => {
  it('leaves the rest to whoever is in charge', async () => {
    const outstanding = Array.from({ length: 8 }, (_, at) => piece(at * 10, at * 10 + 10))
    const plan = planned(80, { next: 80, outstanding })
    advanceClock(minutes(9))
    let renewed = 0
    await redispatchOverdue(plan, [], through(platform(), { renew: async () => ++renewed <= 3 }))
    expect(sent).toHaveLength(3)
    expect(plan.outstanding.filter(({ at }) => at === 0)).toHaveLength(13)
  })
})

describe('a platform without room', () => {
  it('halves the window at each 429, and is left alone for a while', async () => {
    const plan = planned(95)
    let room = 3
    const small = platform(() => (room-- > 0 ? undefined : throttled()))
    await dispatchReady(plan, 95, through(small))
    expect(plan).toMatchObject({ next: 30 })
    expect(plan.outstanding).toHaveLength(3)
    expect(window.size).toBe(4)
    expect(window.pausedUntil).toBeLessThanOrEqual(Date.now() + 10_000)
    const asked = room
    window.pausedUntil = Date.now() + 1
    await dispatchReady(plan, 95, through(small))
    expect(room).toBe(asked)
  })

  it('never gets a window of less than one', async () => {
    const plan = planned(95)
    for (let refusal = 0; refusal < 10; refusal++) {
      await dispatchReady(plan, 95, through(platform(throttled)))
      window.pausedUntil = 0
    }
    expect(window.size).toBe(1)
    await dispatchReady(plan, 95, through())
    expect(sent).toHaveLength(1)
  })

  it('gets more again, one at a time, as it proves to have room', async () => {
    window.size = 4
    const plan = planned(1000)
    for (let round = 0; round < 3; round++) {
      const from = plan.next
      await dispatchReady(plan, 1000, through())
      settle(plan, [part(from, plan.next)], window)
    }
    expect(window.size).toBeGreaterThan(6.5)
    expect(window.size).toBeLessThan(7.5)
  })

  it('is not given more while it rests', () => {
    window.pausedUntil = Date.now() + 5000
    settle(planned(10, { next: 10, outstanding: [piece(0, 10)] }), [part(0, 10)], window)
    expect(window.size).toBe(8)
  })

  it('is told apart from one that refuses us: that is an error, and nothing is forgotten', async () => {
    const plan = planned(20)
    await expect(dispatchReady(plan, 20, through(platform(unauthorized)))).rejects.toThrow('invalid')
    expect(plan).toMatchObject({ next: 0, outstanding: [] })
    const overdue = planned(10, { next: 10, outstanding: [piece(0, 10)] })
    advanceClock(minutes(9))
    await expect(redispatchOverdue(overdue, [], through(platform(unauthorized)))).rejects.toThrow('invalid')
    expect(ranges(overdue.outstanding).flat()).toEqual(expect.arrayContaining([0, 10]))
  })
})

describe('a chunk', () => {
  it('is settled when parts hold all of it, however they are cut', () => {
    const plan = planned(30, { next: 30, outstanding: [piece(0, 10), piece(10, 20), piece(20, 30)] })
    settle(plan, [part(0, 4), part(4, 10), part(12, 20), part(18, 30)], window)
    expect(ranges(plan.outstanding)).toEqual([[10, 20]])
  })

  it('counts the errors it reported once, however often it did', () => {
    const plan = planned(10, { next: 10, outstanding: [piece(0, 10)] })
    settle(plan, [part(0, 6, 3), part(0, 10, 4), part(0, 10, 4), part(6, 10, 1)], window)
    expect(plan.errors).toBeGreaterThanOrEqual(3)
    expect(plan.errors).toBeLessThanOrEqual(7)
    const exact = planned(10, { next: 10, outstanding: [piece(0, 10)] })
    settle(exact, [part(0, 10, 9), part(0, 10, 9)], window)
    expect(exact.errors).toBe(9)
  })

  it('never counts more errors than it has images', () => {
    const anyPart = fc
      .tuple(fc.nat(9), fc.integer({ min: 1, max: 10 }), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([start, length, share]) => part(start, start + length, Math.round(length * share)))
    fc.assert(
      fc.property(fc.array(anyPart, { maxLength: 8 }), (extra) => {
        const parts = [part(0, 10, 10), ...extra].sort((a, b) => a.start - b.start || a.end - b.end)
        const plan = planned(10, { next: 10, outstanding: [piece(0, 10)] })
        settle(plan, parts, openWindow())
        expect(plan.errors).toBeLessThanOrEqual(10)
      }),
    )
  })

  it('is left alone until it is overdue', async () => {
    const plan = planned(10, { next: 10, outstanding: [piece(0, 10)] })
    advanceClock(minutes(8))
    await redispatchOverdue(plan, [], through())
    expect(sent).toEqual([])
    expect(plan.outstanding).toEqual([piece(0, 10, { at: Date.now() - minutes(8) })])
  })

  it('that is overdue is dispatched again in halves', async () => {
    const plan = planned(20, { next: 20, outstanding: [piece(10, 20)] })
    advanceClock(minutes(9))
    await redispatchOverdue(plan, [], through())
    const chunk = { start: 10, end: 20 }
    expect(sent).toEqual([
      { batch: 'b1', chunk, start: 10, end: 15, model: 'tiny' },
      { batch: 'b1', chunk, start: 15, end: 20, model: 'tiny' },
    ])
    expect(plan.outstanding).toEqual([
      piece(10, 15, { activationId: 'a1' }),
      piece(15, 20, { activationId: 'a2' }),
    ])
  })

  it('is saved in its halves before they are dispatched', async () => {
    const plan = planned(20, { next: 20, outstanding: [piece(10, 20)] })
    advanceClock(minutes(9))
    const saved: object[] = []
    const save = async () => {
      saved.push({
        sent: sent.length,
        ranges: ranges(plan.outstanding),
        at: plan.outstanding.map(({ at }) => at),
      })
    }
    await redispatchOverdue(plan, [], through(platform(), { save }))
    const halves = [
      [10, 15],
      [15, 20],
    ]
    expect(saved).toEqual([{ sent: 0, ranges: halves, at: [0, 0] }])
    expect(ranges(sent)).toEqual(halves)
  })

  it('that is overdue in parts is dispatched again in what is missing', async () => {
    const plan = planned(10, { next: 10, outstanding: [piece(0, 10)] })
    advanceClock(minutes(9))
    await redispatchOverdue(plan, [part(0, 2), part(4, 9)], through())
    expect(ranges(sent)).toEqual([
      [2, 3],
      [3, 4],
      [9, 10],
    ])
  })

  it('is halved down to one image, which is tried so often and then lost', async () => {
    const plan = planned(4, { next: 4, outstanding: [piece(0, 4)] })
    const rounds: number[] = []
    for (let round = 0; round < 10; round++) {
      advanceClock(minutes(9))
      sent = []
      // Only position 2 kills its container.
      const parts = [part(0, 2), part(3, 4)].slice(0, round)
      settle(plan, parts, window)
      const lost = await redispatchOverdue(plan, parts, through())
      rounds.push(sent.length)
      if (lost.length === 0) continue
      expect(lost).toMatchObject([{ start: 2, end: 3, attempts: 5 }])
      break
    }
    expect(rounds).toEqual([2, 2, 1, 1, 1, 1, 0])
  })

  it('stays outstanding while it is lost but has no record yet', async () => {
    const lost = piece(3, 4, { attempts: 5 })
    const plan = planned(10, { next: 10, outstanding: [lost] })
    advanceClock(minutes(9))
    await redispatchOverdue(plan, [], through())
    expect(plan.outstanding).toEqual([lost])
  })
})

describe('an overdue chunk on a platform without room', () => {
  const rounds = async (plan: Plan, openwhisk: OpenWhisk, count: number) => {
    const lost: Outstanding[] = []
    for (let round = 0; round < count; round++) {
      advanceClock(20_000)
      lost.push(...(await redispatchOverdue(plan, [], through(openwhisk))))
    }
    return lost
  }

  it('is not cut up further before its halves were tried', async () => {
    const plan = planned(10, { next: 10, outstanding: [piece(0, 10)] })
    advanceClock(minutes(9))
    await rounds(plan, platform(throttled), 6)
    expect(ranges(plan.outstanding)).toEqual([
      [0, 5],
      [5, 10],
    ])
    await rounds(plan, platform(), 1)
    expect(ranges(sent)).toEqual([
      [0, 5],
      [5, 10],
    ])
  })

  it('does not count refusals as attempts: a small quota loses no image', async () => {
    const plan = planned(10, { next: 10, outstanding: [piece(3, 4)] })
    advanceClock(minutes(9))
    expect(await rounds(plan, platform(throttled), 10)).toEqual([])
    expect(await rounds(plan, platform(), 1)).toEqual([])
    expect(plan.outstanding).toMatchObject([piece(3, 4, { attempts: 2 })])
  })

  it('is the only one to be refused in a round, and none is while the platform is left alone', async () => {
    const plan = planned(80, {
      next: 80,
      outstanding: Array.from({ length: 8 }, (_, number) => piece(number * 10, number * 10 + 10)),
    })
    advanceClock(minutes(9))
    let refusals = 0
    const full = platform(() => {
      refusals++
      return throttled()
    })
    await redispatchOverdue(plan, [], through(full))
    expect([refusals, window.size]).toEqual([1, 4])
    window.pausedUntil = Date.now() + 1
    await redispatchOverdue(plan, [], through(full))
    expect(refusals).toBe(1)
    const held = plan.outstanding.flatMap(({ start, end }) =>
      Array.from({ length: end - start }, (_, index) => start + index),
    )
    expect(held.sort((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, at) => at))
  })
})

describe('a chunk whose activation has ended', () => {
  const ended = (...ids: string[]): OpenWhisk => ({
    ...platform(),
    resultOf: async (id) => (ids.includes(id) ? {} : undefined),
  })

  it('is asked after only when it could have reported, and then not all the time', async () => {
    const asked: string[] = []
    const openwhisk: OpenWhisk = { ...platform(), resultOf: async (id) => void asked.push(id) }
    const plan = planned(20, { next: 20, outstanding: [piece(10, 20, { activationId: 'a1' })] })
    await markEnded(plan, through(openwhisk))
    expect(asked).toEqual([])
    advanceClock(5_000)
    await markEnded(plan, through(openwhisk))
    await markEnded(plan, through(openwhisk))
    expect(asked).toEqual(['a1'])
    advanceClock(5_000)
    await markEnded(plan, through(openwhisk))
    expect(asked).toEqual(['a1', 'a1'])
  })

  it('is asked after beside others, for as long as this activation is in charge', async () => {
    const outstanding = Array.from({ length: 30 }, (_, at) =>
      piece(at * 10, at * 10 + 10, { activationId: `a${at}` }),
    )
    const plan = planned(300, { next: 300, outstanding })
    let [now, most, renewed] = [0, 0, 0]
    const resultOf = async () => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
      return {}
    }
    advanceClock(5_000)
    await markEnded(plan, through({ ...platform(), resultOf }, { renew: async () => ++renewed <= 20 }))
    expect(most).toBe(8)
    expect(outstanding.map(({ ended }) => ended === true)).toEqual(outstanding.map((_, at) => at < 20))
  })

  it('and wrote nothing is dispatched again long before it would be overdue', async () => {
    const outstanding = [piece(0, 10, { activationId: 'a1' }), piece(10, 20, { activationId: 'a2' })]
    const plan = planned(20, { next: 20, outstanding })
    advanceClock(6_000)
    await markEnded(plan, through(ended('a2')))
    await redispatchOverdue(plan, [], through())
    expect(ranges(sent)).toEqual([
      [10, 15],
      [15, 20],
    ])
  })

  describe('and stopped early', () => {
    /** After one activation the next that it names; each has ended. */
    const chain = (...results: object[]): OpenWhisk => ({
      ...platform(),
      resultOf: async (id) => results[Number(id.slice(1))] as Record<string, unknown> | undefined,
    })
    const look = async (plan: Plan, parts: Part[], openwhisk: OpenWhisk) => {
      advanceClock(6_000)
      await markEnded(plan, through(openwhisk))
      await redispatchOverdue(plan, parts, through())
    }
    const stopped = () => planned(20, { next: 20, outstanding: [piece(10, 20, { activationId: 'a0' })] })

    it('is left to the activation that goes on with it', async () => {
      const plan = stopped()
      for (let round = 0; round < 3; round++) await look(plan, [part(10, 14)], chain({ next: 'a1' }))
      expect(sent).toEqual([])
      expect(plan.outstanding).toMatchObject([{ start: 10, end: 20, activationId: 'a1' }])
    })

    it('has its rest dispatched again long before it would be overdue when that one died', async () => {
      const plan = stopped()
      for (let round = 0; round < 2; round++) await look(plan, [part(10, 14)], chain({ next: 'a1' }, {}))
      expect(ranges(sent)).toEqual([
        [14, 17],
        [17, 20],
      ])
    })

    it('has its rest dispatched again when it died before it found somebody to go on', async () => {
      await look(stopped(), [part(10, 14)], chain({ error: 'The action failed' }))
      expect(ranges(sent)).toEqual([
        [14, 17],
        [17, 20],
      ])
    })
  })

  it('is tried again after longer and longer pauses, for what it died of may pass', async () => {
    const plan = planned(10, { next: 10, outstanding: [piece(3, 4, { activationId: 'a1' })] })
    const pauses: number[] = []
    for (let pause = 0, lost = 0; lost === 0; pause++) {
      advanceClock(1000)
      const before = sent.length
      await markEnded(plan, through({ ...platform(), resultOf: async () => ({}) }))
      lost = (await redispatchOverdue(plan, [], through())).length
      if (sent.length === before && lost === 0) continue
      pauses.push(pause)
      pause = 0
    }
    expect(pauses).toHaveLength(5)
    for (const [index, pause] of pauses.entries()) {
      if (index > 0) expect(pause).toBeGreaterThanOrEqual(1.9 * (pauses[index - 1] ?? 0))
    }
  })
})
