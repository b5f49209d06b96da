import { runSeeds, tellSeeds } from './run-seeds'
import { simulate } from './simulate'

const seeds = process.env.WHISKLENS_FULL ? 100_000 : 2_000

describe('the batch core under simulation', () => {
  it('runs the same way each time it has the same seed', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const first = await simulate(seed, { keepsTrace: true })
      const second = await simulate(seed, { keepsTrace: true })
      expect(second.trace).toEqual(first.trace)
      expect(await simulate(seed)).toEqual({ ...first, trace: [] })
    }
  })

  it(`keeps its promises in ${seeds} seeds, under faults of each kind`, async () => {
    const found = await runSeeds(1, seeds)
    process.stdout.write(tellSeeds(found, 1))
    expect(found.failed).toEqual([])
    expect(found.seeds).toBe(seeds)
    // Those that never happen are not found harmless.
    expect(Object.entries(found.counts).filter(([, times]) => times === 0)).toEqual([])
  }, 7_200_000)
})
