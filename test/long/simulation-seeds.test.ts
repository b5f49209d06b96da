import { formatSeeds, runSeeds } from '../simulation/run-seeds'
import { isFull } from './sizes'

const seeds = isFull ? 100_000 : 2_000

it(
  `the batch core keeps its promises in ${seeds} seeds, under faults of every kind`,
  async () => {
    const found = await runSeeds(1, seeds)
    process.stdout.write(formatSeeds(found, 1))
    expect(found.failed).toEqual([])
    expect(found.seeds).toBe(seeds)
    // A fault that never occurred was not tested.
    expect(Object.entries(found.counts).filter(([, times]) => times === 0)).toEqual([])
  },
  isFull ? 4 * 3_600_000 : 1_800_000,
)
