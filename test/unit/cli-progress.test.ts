import fc from 'fast-check'
import { duration, PaceMeter } from '../../src/cli/shared/pace'
import { counter, describeProgress, startProgress } from '../../src/cli/shared/progress'
import { type Progress, progressOf } from '../../src/library/batches/follow'
import { batchOf, setClock } from './batch-fixtures'
import { summaryOf } from './cli-run'

const seconds = (count: number) => count * 1000
const unknown = { perSecond: null, secondsLeft: null }

describe('the pace', () => {
  it('is unknown before anything is done', () => {
    const meter = new PaceMeter()
    expect(meter.measure(40, 100, 0)).toEqual(unknown)
    expect(meter.measure(40, 100, seconds(5))).toEqual(unknown)
  })

  it('estimates the time left if the total is known', () => {
    const meter = new PaceMeter()
    meter.measure(0, 100, 0)
    expect(meter.measure(20, 100, seconds(10))).toEqual({ perSecond: 2, secondsLeft: 40 })
    expect(meter.measure(30, undefined, seconds(15))).toEqual({ perSecond: 2, secondsLeft: null })
    expect(meter.measure(100, 100, seconds(20))).toEqual({ perSecond: 5, secondsLeft: 0 })
  })

  it('is that of a recent window', () => {
    const meter = new PaceMeter()
    for (let at = 0; at <= 100; at++) meter.measure(at * 10, 10_000, seconds(at))
    for (let at = 101; at <= 140; at++) meter.measure(1000 + (at - 100), 10_000, seconds(at))
    expect(meter.measure(1041, 10_000, seconds(141)).perSecond).toBe(1)
  })

  it('falls while nothing is done', () => {
    const meter = new PaceMeter()
    for (const at of [0, 1, 2]) meter.measure(at * 10, 100, seconds(at))
    expect(meter.measure(20, 100, seconds(2)).perSecond).toBe(10)
    expect(meter.measure(20, 100, seconds(40)).perSecond).toBe(0.5)
  })

  it('is measured over several chunks, however rarely they report', () => {
    const meter = new PaceMeter()
    let perSecond: number | null = null
    for (let minute = 0; minute < 10; minute++)
      perSecond = meter.measure(minute * 60, 6000, seconds(minute * 60)).perSecond
    expect(perSecond).toBe(1)
  })

  it('starts again when the count falls', () => {
    const meter = new PaceMeter()
    meter.measure(0, 100, 0)
    meter.measure(100, 100, seconds(1))
    expect(meter.measure(0, 50, seconds(2))).toEqual(unknown)
    expect(meter.measure(4, 50, seconds(4)).perSecond).toBe(2)
  })

  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [61, '2 min'],
    [3541, '1 h 0 min'],
    [7300, '2 h 2 min'],
    [100_000, '1 d 3 h'],
  ])('%i s are formatted as %s', (count, text) => expect(duration(count)).toBe(text))
})

describe('a bar', () => {
  const progresses: fc.Arbitrary<Progress> = fc.record({
    done: fc.nat(50),
    total: fc.nat(100),
    errors: fc.nat(5),
    earlier: fc.nat(20),
    isGrowing: fc.boolean(),
  })

  it('never moves back and is never full', () => {
    fc.assert(
      fc.property(fc.array(progresses), (all) => {
        const shares = [0]
        const { update } = counter('images', undefined, (_, share) => shares.push(share))
        for (const counts of all) update(counts)
        for (const [at, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(shares[at - 1] ?? 0)
          expect(share).toBeLessThan(1)
        }
      }),
    )
  })

  it('does not move while the total grows, and shows this run only', () => {
    const shares: number[] = []
    const { update } = counter('images', undefined, (_, share) => shares.push(share))
    update({ done: 100, total: 100, errors: 0, earlier: 100, isGrowing: true })
    update({ done: 100, total: 150, errors: 0, earlier: 100, isGrowing: true })
    update({ done: 125, total: 200, errors: 0, earlier: 100 })
    expect(shares).toEqual([0, 0, 0.25])
  })

  it('shows count, errors and running activations', () => {
    const pace = { perSecond: 24.2, secondsLeft: 90 }
    const counts = { done: 120, total: 500, errors: 3, running: 8 }
    expect(describeProgress(counts, 'images', pace)).toBe(
      '120/500 images, 24/s, 2 min left, 3 in error, 8 running',
    )
    expect(describeProgress({ ...counts, errors: 0, running: 0 }, 'images', unknown)).toBe('120/500 images')
    expect(describeProgress({ done: 1, total: 9, errors: 0, isGrowing: true }, 'files', unknown)).toBe(
      '1/9+ files',
    )
  })
})

describe('progress of a batch', () => {
  const totals = { listed: 9, planned: 9, skipped: 0, ok: 4, error: 1, pending: 4 }
  const piece = { start: 0, end: 1, chunk: { start: 0, end: 1, epoch: 1 }, attempts: 1, by: 1 }

  it('comes from its summary, and running activations from its document', () => {
    const pieces = [
      { ...piece, at: 5 },
      { ...piece, at: 5, ended: true },
      { ...piece, at: 0 },
    ]
    const plan = batchOf('photos', {}, { dispatch: { pieces } })
    expect(progressOf(summaryOf('b', { state: 'running', totals }), plan)).toEqual({
      done: 5,
      total: 9,
      errors: 1,
      earlier: 0,
      isGrowing: false,
      running: 1,
    })
    expect(progressOf(summaryOf('b', { totals }), plan).running).toBe(0)
  })

  it('is not final while the batch is planned, or on a day of uploads', () => {
    const plan = batchOf('photos')
    const day = batchOf('photos', {}, { kind: 'uploads' })
    const isGrowing = (state: 'planning' | 'running' | 'complete', known = plan) =>
      progressOf(summaryOf('b', { state, totals }), known).isGrowing
    expect([isGrowing('planning', plan), isGrowing('running', plan), isGrowing('complete', plan)]).toEqual([
      true,
      false,
      false,
    ])
    expect([isGrowing('running', day), isGrowing('complete', day)]).toEqual([true, false])
  })

  it('does not count earlier runs', () => {
    const again = batchOf('photos', {}, { dispatch: { before: { reported: 8, errors: 0 } } })
    expect(progressOf(summaryOf('b', { totals }), again).earlier).toBe(8)
  })
})

describe('progress', () => {
  const { isTTY } = process.stderr
  let written: string

  beforeEach(() => {
    written = ''
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written += text
      return true
    })
  })
  afterEach(() => {
    jest.restoreAllMocks()
    jest.useRealTimers()
    process.stderr.isTTY = isTTY
  })

  const counts = (done: number): Progress => ({ done, total: 10, errors: 0 })

  it('is a line at intervals if stderr is not a terminal', () => {
    process.stderr.isTTY = false
    setClock(0)
    const progress = startProgress('images', {})
    for (let at = 0; at <= 40; at++) {
      jest.setSystemTime(seconds(at))
      progress.update(counts(Math.min(10, Math.floor(at / 4))))
    }
    progress.say('a word')
    progress.stop()
    expect(written.split('\n')).toEqual([
      expect.stringMatching(/^3\/10 images, /),
      expect.stringMatching(/^7\/10 images, /),
      'a word',
      '',
    ])
  })

  it.each([{ json: true }, { quiet: true }, { withLines: true }])('is errors only with %j', (options) => {
    process.stderr.isTTY = false
    setClock(0)
    const progress = startProgress('images', options)
    jest.setSystemTime(seconds(60))
    progress.update(counts(5))
    progress.say('error: that one')
    progress.stop()
    expect(written).toBe('error: that one\n')
  })

  it('is a bar on a terminal, below messages', () => {
    process.stderr.isTTY = true
    const progress = startProgress('images', {})
    progress.update(counts(5))
    progress.say('error: that one')
    progress.stop()
    expect(written).toMatch(/error: that one\n.*█{10}░{10} 5\/10 images/s)
  })
})
