import fc from 'fast-check'
import {
  countSent,
  freeSlots,
  grow,
  maxInFlight,
  maxUnreported,
  shrink,
} from '../../src/batch/running/window'
import type { Window } from '../../src/batch/state/batch'
import { minutes, windowOf } from './batch-fixtures'

const now = Date.parse('2026-11-22T08:00:00Z')
const fresh = windowOf(32)
const quick = { done: 0, took: 10_000 }

describe('the window', () => {
  it('doubles by accepted pieces up to a limit', () => {
    expect(grow(fresh, { ...quick, inFlight: 32 }, now).size).toBe(64)
    expect(grow(fresh, { ...quick, inFlight: 3 }, now).size).toBe(32)
    expect(grow(windowOf(maxUnreported), { ...quick, inFlight: maxUnreported }, now).size).toBe(maxUnreported)
  })

  it('doubles beyond that each round, by reports', () => {
    const window = windowOf(maxUnreported)
    expect(grow(window, { ...quick, inFlight: maxUnreported, done: 40 }, now).size).toBe(maxUnreported + 40)
    const all = { ...quick, inFlight: maxUnreported, done: maxUnreported }
    expect(grow(window, all, now).size).toBe(2 * maxUnreported)
  })

  it('has a maximum', () => {
    const all = { ...quick, inFlight: maxInFlight, done: maxInFlight }
    expect(grow(windowOf(maxInFlight), all, now).size).toBe(maxInFlight)
  })

  it('grows by one a round after a refusal', () => {
    const refused = shrink(windowOf(64), { until: now }, 40)
    expect(refused.size).toBe(36)
    expect(grow(refused, { ...quick, inFlight: 36, done: 36 }, now).size).toBe(37)
    const paused = { ...refused, pausedUntil: now + 1 }
    expect(grow(paused, { ...quick, inFlight: 36, done: 36 }, now).size).toBe(36)
  })

  it('never gets smaller than one', () => {
    let window = fresh
    for (let refusals = 0; refusals < 50; refusals++) window = shrink(window, { until: now }, 0)
    expect(freeSlots(window, 0, now + 1)).toBe(1)
  })

  it('does not grow by pieces that were queued', () => {
    const waited = { inFlight: 300, done: 10, took: 50_000 }
    expect(grow(windowOf(300), waited, now).size).toBe(300)
    expect(grow({ ...windowOf(300), isKnown: true }, waited, now).size).toBe(300)
  })

  it('reserves some invocations per minute, once the limit is known', () => {
    const limited = shrink(fresh, { until: now + 500, perMinute: 60 }, 30)
    expect(limited.size).toBe(32)
    expect(freeSlots(limited, 0, now)).toBe(0)
    const sent = countSent(limited, 30, now + 1_000)
    expect(freeSlots(sent, 0, now + 1_000)).toBe(24)
    expect(freeSlots(countSent(sent, 24, now + 2_000), 0, now + 3_000)).toBe(0)
    expect(freeSlots(countSent(sent, 24, now + 2_000), 0, now + minutes(1))).toBe(32)
  })
})

/** The properties of a platform. Times are in milliseconds. */
interface Server {
  containers: number
  /** Duration of a piece. */
  runs: number
  concurrent: number
  perMinute: number
}

interface Step {
  window: Window
  accepted: number
  inFlight: number
  refusals: number
  refusedFor: 'minute' | 'concurrency' | undefined
  /** The longest time of a piece that reported in this turn. */
  longest: number
}

/** The turns of a holder with endless pieces, on a platform that queues what exceeds its containers. */
function* turns({ containers, runs, concurrent, perMinute }: Server, seconds: number): Generator<Step> {
  let window = windowOf(32)
  const free = new Array<number>(containers).fill(now)
  let next = 0
  let pieces: { at: number; ends: number }[] = []
  const minuteOf = (time: number) => Math.floor(time / minutes(1))
  const invoked = new Map<number, number>()
  for (let time = now; time < now + seconds * 1_000; time += 500) {
    let [accepted, refusals] = [0, 0]
    let refusedFor: Step['refusedFor']
    for (let room = freeSlots(window, pieces.length, time); room > 0; room--) {
      if (refusals > 0) break
      window = countSent(window, 1, time)
      const count = (invoked.get(minuteOf(time)) ?? 0) + 1
      invoked.set(minuteOf(time), count)
      refusedFor = count > perMinute ? 'minute' : pieces.length >= concurrent ? 'concurrency' : undefined
      if (refusedFor) refusals++
      else {
        // All run equally long, so the container used longest ago is free first.
        const ends = Math.max(time, free[next] as number) + runs
        free[next] = ends
        next = (next + 1) % containers
        pieces.push({ at: time, ends })
        accepted++
      }
    }
    const done = pieces.filter(({ ends }) => ends <= time)
    const inFlight = pieces.length
    const took = done.map(({ at }) => time - at)
    pieces = pieces.filter(({ ends }) => ends > time)
    const until = refusedFor === 'minute' ? (minuteOf(time) + 1) * minutes(1) : time + 2_000
    window =
      refusals > 0
        ? shrink(window, { until, perMinute: refusedFor === 'minute' ? perMinute : undefined }, inFlight)
        : grow(window, { inFlight, done: done.length, took: Math.min(...took) }, time)
    yield { window, accepted, inFlight, refusals, refusedFor, longest: Math.max(0, ...took) }
  }
}

const anyServer: fc.Arbitrary<Server> = fc.record({
  containers: fc.integer({ min: 1, max: 300 }),
  runs: fc.integer({ min: 300, max: 110_000 }),
  concurrent: fc.integer({ min: 4, max: 2_000 }),
  perMinute: fc.integer({ min: 10, max: 6_000 }),
})

describe('a window on any platform', () => {
  it('never exceeds twice the accepted concurrency before the first refusal', () => {
    fc.assert(
      fc.property(anyServer, (server) => {
        let most = 0
        for (const { window, inFlight } of turns(server, 60)) {
          if (window.isKnown) return
          most = Math.max(most, inFlight)
          expect(window.size).toBeLessThanOrEqual(Math.max(32, 2 * most))
        }
      }),
    )
  })

  it('shrinks with each refusal of concurrency, and otherwise grows by at most one a round', () => {
    fc.assert(
      fc.property(anyServer, (server) => {
        let before: Step | undefined
        for (const step of turns(server, 120)) {
          if (step.refusedFor === 'concurrency')
            expect(step.window.size).toBeLessThanOrEqual(Math.max(1, 0.9 * server.concurrent))
          else if (before?.window.isKnown)
            expect(step.window.size - before.window.size).toBeLessThanOrEqual(
              step.inFlight / before.window.size + 1e-9,
            )
          before = step
        }
      }),
    )
  })

  it('stays within its share of each minute after the one that hit the limit', () => {
    fc.assert(
      fc.property(anyServer, (server) => {
        let first: number | undefined
        const sent = new Map<number, number>()
        for (const { window, accepted, refusals, refusedFor } of turns(server, 240)) {
          const minute = window.minute
          sent.set(minute, (sent.get(minute) ?? 0) + accepted + refusals)
          if (refusedFor === 'minute') {
            expect(first).toBeUndefined()
            first = minute
          }
        }
        if (first === undefined) return
        const reserve = Math.max(4, Math.ceil(server.perMinute / 10))
        for (const [minute, count] of sent)
          if (minute > first) expect(count).toBeLessThanOrEqual(Math.max(1, server.perMinute - reserve))
      }),
    )
  })

  it('finds the capacity, and keeps the queue short', () => {
    for (const containers of [8, 30, 256, 1_000])
      for (const runs of [2_000, 10_000, 100_000]) {
        // What is accepted before any reports would queue too long for a few containers.
        const concurrent = containers < 100 ? containers + 30 : 5_000
        const steps = [...turns({ containers, runs, concurrent, perMinute: 1_000_000 }, 1_800)]
        const late = steps.slice(-1_000)
        // OpenWhisk gives up after five minutes.
        expect(Math.max(...late.map(({ longest }) => longest))).toBeLessThan(300_000)
        const running =
          late.reduce((sum, { inFlight }) => sum + Math.min(inFlight, containers), 0) / late.length
        if (runs < 100_000) expect(running).toBeGreaterThan(0.95 * containers)
      }
  })

  it('recovers after too much was accepted', () => {
    const steps = [...turns({ containers: 12, runs: 10_000, concurrent: 5_000, perMinute: 1_000_000 }, 1_200)]
    expect(Math.max(...steps.map(({ longest }) => longest))).toBeGreaterThan(150_000)
    const late = steps.slice(-1_000)
    expect(Math.max(...late.map(({ longest }) => longest))).toBeLessThan(160_000)
    expect(late.every(({ inFlight }) => inFlight >= 12)).toBe(true)
  })
})
