import { formatSeeds } from './run-seeds'
import { simulate } from './simulate'

/*
 * All seeds, crash points and planted bugs run in test/long: they take all cores for minutes.
 */

describe('a simulation', () => {
  it('runs the same way for the same seed, without complaints', async () => {
    for (const seed of [1, 2, 3]) {
      const first = await simulate(seed, { keepsTrace: true })
      const second = await simulate(seed, { keepsTrace: true })
      expect(first.complaints).toEqual([])
      expect(second).toEqual(first)
      expect(await simulate(seed)).toEqual({ ...first, trace: [] })
    }
  })

  it('prints how to repeat a failing seed', () => {
    const failed = [{ seed: 315, complaints: ['b1 has lost photos/a.jpg', 'b1 is still open'] }]
    const found = { seeds: 400, calls: 1, events: 1, counts: { paused: 3 }, each: 20, failed }
    expect(formatSeeds(found, 1)).toBe(`400 seeds from 1: 1 requests, 20.0 ms of CPU time each, 1 failed
  paused: 3
seed 315: b1 has lost photos/a.jpg
  b1 is still open
  to reproduce: npm run simulate -- --seeds 1 --from 315 --trace
`)
  })
})
