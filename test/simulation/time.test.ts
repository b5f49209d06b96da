import { Process } from './process'
import { seeded } from './random'
import { clockOf, Time } from './time'

const never = () => false

describe('virtual time', () => {
  it('runs events in order of time, then of scheduling', async () => {
    const time = new Time(1_000)
    const seen: string[] = []
    const note = (name: string) => () => seen.push(`${name} at ${time.now}`)
    time.after(30, note('late'))
    time.after(10, note('first'))
    time.after(10, note('second'))
    time.after(20, () => time.after(0, note('at once')))
    expect(await time.run(never)).toBe(false)
    expect(seen).toEqual(['first at 1010', 'second at 1010', 'at once at 1020', 'late at 1030'])
  })

  it('drains all promises before the next event', async () => {
    const time = new Time(0)
    const seen: number[] = []
    const work = async () => {
      for (let turn = 0; turn < 5; turn++) {
        await time.sleep(10)
        for (let deep = 0; deep < 50; deep++) await Promise.resolve()
        seen.push(time.now)
      }
    }
    void work()
    time.after(10, () => {})
    await time.run(never)
    expect(seen).toEqual([10, 20, 30, 40, 50])
  })

  it('orders any number of events', async () => {
    const random = seeded(1)
    const time = new Time(0)
    const seen: number[] = []
    for (let index = 0; index < 2_000; index++) time.after(random.between(0, 500), () => seen.push(time.now))
    await time.run(never)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen).toHaveLength(2_000)
  })

  it('drops the events of a dead process and postpones those of a paused one', async () => {
    const time = new Time(0)
    const [dead, paused] = [new Process('dead'), new Process('paused')]
    const seen: string[] = []
    time.after(10, () => seen.push('dead'), dead)
    time.after(10, () => seen.push(`paused at ${time.now}`), paused)
    dead.die()
    paused.pausedUntil = 500
    await time.run(never)
    expect(seen).toEqual(['paused at 500'])
  })

  it('detects a livelock', async () => {
    const time = new Time(0)
    const circle = (): void => time.after(1, circle)
    circle()
    await expect(time.run(never, 100)).rejects.toThrow('More than 100 events')
  })

  it('gives each process a skewed clock, while sleep uses true time', async () => {
    const time = new Time(10_000)
    const clock = clockOf(time, () => -3_000.5)
    const began = clock.now()
    void clock.sleep(250)
    await time.run(never)
    expect([began, clock.now(), time.now]).toEqual([6_999, 7_249, 10_250])
  })
})

describe('seeded numbers', () => {
  it('are reproducible and differ by seed and purpose', () => {
    const take = (seed: number, purpose?: string) => {
      const random = purpose === undefined ? seeded(seed) : seeded(seed).fork(purpose)
      return Array.from({ length: 3 }, () => random.between(0, 1_000_000))
    }
    expect(take(1)).toEqual(take(1))
    const all = [take(1), take(2), take(1, 'a'), take(1, 'b'), take(2, 'a')].map(String)
    expect(new Set(all).size).toBe(all.length)
  })

  it('fill their range evenly', () => {
    const random = seeded(7)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 10_000; draw++) {
      const value = random.between(0, 9)
      counts[value] = (counts[value] ?? 0) + 1
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })
})
