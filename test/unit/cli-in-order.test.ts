import { setTimeout as sleep } from 'node:timers/promises'
import { mapInOrder } from '../../src/cli/in-order'

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const result of results) all.push(result)
  return all
}

describe('mapInOrder', () => {
  it('yields results in the order of the source, however long each takes', async () => {
    const slowFirst = async (n: number) => {
      await sleep((10 - n) * 3)
      return n
    }
    expect(await collect(mapInOrder([1, 2, 3, 4, 5, 6, 7, 8, 9], 4, slowFirst))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
  })

  it('takes no more from the source than it may hold', async () => {
    let taken = 0
    function* endless() {
      for (;;) yield taken++
    }
    const results = mapInOrder(endless(), 5, async (n) => n)
    for (let read = 1; read <= 20; read++) {
      await results.next()
      expect(taken - read).toBeLessThan(5)
    }
  })

  it('passes a failure on in its turn', async () => {
    const failing = async (n: number) => (n === 2 ? Promise.reject(new Error('two')) : n)
    const results = mapInOrder([1, 2, 3], 3, failing)
    expect((await results.next()).value).toBe(1)
    await expect(results.next()).rejects.toThrow('two')
  })
})
