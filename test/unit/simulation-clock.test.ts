import fc from 'fast-check'
import { VirtualClock } from '../../bench/simulation/clock'

const start = 1_000_000

describe('the virtual clock', () => {
  it('goes to the next time at which something is due, in no time', async () => {
    const clock = new VirtualClock(start)
    const year = 365 * 24 * 3600
    await clock.run(clock.sleep(year))
    expect(clock.now).toBe(start + year)
  })

  it('stands still while anything can run', async () => {
    const clock = new VirtualClock(start)
    const seen: number[] = []
    const busy = async () => {
      for (let i = 0; i < 100; i++) await Promise.resolve()
      seen.push(clock.now)
    }
    await clock.run(Promise.all([busy(), clock.sleep(5)]))
    expect(seen).toEqual([start])
  })

  it('wakes sleepers in the order of their times, and of their calls at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 })), async (naps) => {
        const clock = new VirtualClock(start)
        const woken: { nap: number; index: number; at: number }[] = []
        const sleepers = naps.map(async (nap, index) => {
          await clock.sleep(nap)
          woken.push({ nap, index, at: clock.now })
        })
        await clock.run(Promise.all(sleepers))
        const expected = naps
          .map((nap, index) => ({ nap, index, at: start + nap }))
          .sort((a, b) => a.nap - b.nap || a.index - b.index)
        expect(woken).toEqual(expected)
      }),
    )
  })

  it('forgets a timer that was cleared', async () => {
    const clock = new VirtualClock(start)
    const called = jest.fn()
    clock.clearTimeout(clock.setTimeout(called, 10))
    await clock.run(clock.sleep(20))
    expect(called).not.toHaveBeenCalled()
  })

  it('gives up at the end it was given', async () => {
    const clock = new VirtualClock(start)
    expect(await clock.run(clock.sleep(100), start + 50)).toBeUndefined()
    expect(clock.now).toBe(start + 50)
  })

  it('says when nothing is left that could go on', async () => {
    const clock = new VirtualClock(start)
    clock.clearTimeout(clock.setTimeout(() => {}, 10))
    await expect(clock.run(new Promise(() => {}))).rejects.toThrow('nothing is left')
  })

  it('hands on what the work throws', async () => {
    const clock = new VirtualClock(start)
    const work = clock.sleep(1).then(() => Promise.reject(new Error('no luck')))
    await expect(clock.run(work)).rejects.toThrow('no luck')
  })
})
