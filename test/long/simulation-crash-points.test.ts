import type { Points } from '../simulation/crash-points'
import { openRunner } from '../simulation/runner'

describe('a batch of 40 images in 4 chunks, then fired again', () => {
  let found: Points[]
  const sum = (of: (points: Points) => number) => found.reduce((before, one) => before + of(one), 0)

  beforeAll(async () => {
    const sizes = { module: 'src/batch/planning/sizes', by: 'test/simulation/chunks-of-ten' }
    const runner = await openRunner('points.ts', sizes)
    try {
      found = await runner.run<Points>((worker, workers) => [worker + 1, workers])
    } finally {
      runner.close()
    }
  }, 1_800_000)

  it('keeps its promises if nothing dies, without doing anything twice', () => {
    expect(found[0]?.whole).toMatchObject({ complaints: [], again: 0, isFireLost: false, chunks: [4, 5] })
    expect(found[0]?.whole.calls).toBeGreaterThan(300)
  })

  it('killed before or after any request, or without its answer, loses and duplicates nothing', () => {
    const [lost, twice, again] = [sum((one) => one.lost), sum((one) => one.twice), sum((one) => one.again)]
    process.stdout.write(
      `${sum(({ points }) => points)} crash points: ${lost} images lost, ${twice} records double, ${sum(({ failed }) => failed.length)} failed; ${sum(({ firesLost }) => firesLost)} died before the fire was written, ${again} images were classified once more\n`,
    )
    expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
    expect(found.flatMap(({ failed }) => failed)).toEqual([])
    expect(sum(({ points }) => points)).toBe(3 * (found[0]?.whole.calls ?? 0))
  })
})
