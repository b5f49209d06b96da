import { type CrashReport, crashAt, type Points } from './crash-points'
import { openRunner } from './runner'

describe('a batch whose activation is killed', () => {
  let whole: CrashReport

  it('is as it must be where nothing dies, and does nothing twice', async () => {
    whole = await crashAt(undefined)
    expect(whole).toMatchObject({ complaints: [], again: 0, isFireLost: false })
    expect(whole.calls).toBeGreaterThan(300)
  })

  it('before or after any of its requests, or has no answer to it, loses nothing and has nothing twice', async () => {
    const runner = await openRunner('points.ts')
    try {
      const found = await runner.run<Points>((worker, workers) => [worker + 1, whole.calls, workers])
      const sum = (of: (points: Points) => number) => found.reduce((before, one) => before + of(one), 0)
      process.stdout.write(
        `${sum(({ points }) => points)} crash points: ${sum(({ failed }) => failed.length)} failed, ${sum(({ firesLost }) => firesLost)} died before the fire was written, ${sum(({ again }) => again)} images were classified once more\n`,
      )
      expect(found.flatMap(({ failed }) => failed)).toEqual([])
      expect(sum(({ points }) => points)).toBe(3 * whole.calls)
    } finally {
      runner.close()
    }
  }, 1_800_000)
})
