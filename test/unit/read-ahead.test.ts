import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { prefetched, readAhead } from '../../src/read-ahead'
import { collect, from } from './batch-fixtures'

describe('reading ahead', () => {
  it('keeps the order, however long each read takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(4), { maxLength: 20 }),
        fc.integer({ min: 1, max: 9 }),
        async (turns, ahead) => {
          const read = async (turnsLeft: number) => {
            for (let left = turnsLeft; left > 0; left--) await turn()
            return turnsLeft
          }
          expect(await collect(readAhead(from(turns), ahead, read))).toEqual(turns)
        },
      ),
    )
  })

  it('starts a number of reads before the first is used, and one more for each use', async () => {
    let begun = 0
    const read = async (item: number) => {
      begun++
      return item
    }
    const reading = readAhead(from([1, 2, 3, 4, 5, 6, 7, 8, 9]), 4, read)
    for (const expected of [4, 5, 6, 7, 8, 9, 9, 9, 9]) {
      await reading.next()
      expect(begun).toBe(expected)
    }
    expect(await reading.next()).toMatchObject({ done: true })
  })

  it('fails in the turn of the failed read, not before', async () => {
    const read = async (item: number) => {
      if (item === 2) throw new Error('Two is not there')
      return item
    }
    const reading = readAhead(from([0, 1, 2, 3]), 8, read)
    expect((await reading.next()).value).toBe(0)
    await turn()
    expect((await reading.next()).value).toBe(1)
    await expect(reading.next()).rejects.toThrow('Two is not there')
  })
})

describe('reading ahead of an existing sequence', () => {
  it('yields results in source order, however long each takes', async () => {
    const slowFirst = async (n: number) => {
      await sleep((10 - n) * 3)
      return n
    }
    expect(await collect(readAhead([1, 2, 3, 4, 5, 6, 7, 8, 9], 4, slowFirst))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
  })

  it('takes no more from the source than it may hold', async () => {
    let taken = 0
    function* endless() {
      for (;;) yield taken++
    }
    const results = readAhead(endless(), 5, async (n) => n)
    for (let read = 1; read <= 20; read++) {
      await results.next()
      expect(taken - read).toBeLessThan(5)
    }
  })

  it('passes a failure on in its turn', async () => {
    const failing = async (n: number) => (n === 2 ? Promise.reject(new Error('two')) : n)
    const results = readAhead([1, 2, 3], 3, failing)
    expect((await results.next()).value).toBe(1)
    await expect(results.next()).rejects.toThrow('two')
  })
})

describe('a sequence that is prefetched', () => {
  /** Pages of three items; requests are recorded. */
  const paged = (pages: number) => {
    const asked: number[] = []
    let isReturned = false
    async function* items() {
      try {
        for (let page = 0; page < pages; page++) {
          asked.push(page)
          await turn()
          yield* [page * 3, page * 3 + 1, page * 3 + 2]
        }
      } finally {
        isReturned = true
      }
    }
    return { asked, items: items(), isReturned: () => isReturned }
  }

  it('is the same sequence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(6), fc.integer({ min: 1, max: 9 }), async (pages, ahead) => {
        const { items } = paged(pages)
        expect(await collect(prefetched(items, ahead))).toEqual(
          Array.from({ length: pages * 3 }, (_, n) => n),
        )
      }),
    )
  })

  it('is requested immediately, and its next page when the first item of a page is used, but no more', async () => {
    const { asked, items } = paged(5)
    const sequence = prefetched(items, 3)
    await turn()
    await turn()
    expect(asked).toEqual([0])
    await sequence.next()
    await turn()
    expect(asked).toEqual([0, 1])
    for (let times = 0; times < 5; times++) await turn()
    expect(asked).toEqual([0, 1])
  })

  it('fails in the turn of the failure', async () => {
    async function* failing() {
      yield 1
      throw new Error('The second page is not there')
    }
    const sequence = prefetched(failing(), 5)
    expect(await sequence.next()).toEqual({ done: false, value: 1 })
    await expect(sequence.next()).rejects.toThrow('The second page')
  })

  it('ends when it is left', async () => {
    const { items, isReturned } = paged(5)
    for await (const _ of prefetched(items, 2)) break
    for (let times = 0; times < 5; times++) await turn()
    expect(isReturned()).toBe(true)
  })
})
