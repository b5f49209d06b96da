import fc from 'fast-check'
import { rowsToLoad } from '../../src/web/gallery/data/prefetch'
import { toRanges } from '../../src/web/gallery/data/ranges'

const rowsOf = (ranges: string): number[] =>
  ranges
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })

describe('ranges of rows', () => {
  it('name each row once, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 })), (rows) => {
        const sorted = [...new Set(rows)].sort((a, b) => a - b)
        expect(rowsOf(toRanges(rows))).toEqual(sorted)
      }),
    )
  })

  it('are minimal', () => {
    expect(toRanges([3, 250, 1, 2, 0, 251, 99])).toBe('0-3,99,250-251')
  })
})

describe('prefetching', () => {
  const shown = Uint32Array.from({ length: 1000 }, (_, position) => 999 - position)
  const asks = (known: Set<number>, first: number, last: number, isUp = false) =>
    rowsToLoad(shown, { first, last, isUp }, (row) => known.has(row))

  it('requests a hundred rows initially, those on screen first', () => {
    const rows = asks(new Set(), 100, 140)
    expect(rows).toHaveLength(100)
    expect(rows.slice(0, 40)).toEqual([...shown.subarray(100, 140)])
    expect(rows.at(-1)).toBe(shown[199])
  })

  it('follows the scroll direction', () => {
    expect(asks(new Set(), 500, 540, true).at(-1)).toBe(shown[440])
  })

  it('requests nothing while the next screen is loaded', () => {
    const known = new Set(shown.subarray(0, 100))
    expect(asks(known, 0, 40)).toEqual([])
    expect(asks(known, 60, 100)).toEqual([...shown.subarray(100, 200)])
  })

  it('requests five hundred photos in five or six calls', () => {
    const known = new Set<number>()
    let calls = 0
    for (let first = 0; first + 40 <= 500; first += 8) {
      const rows = asks(known, first, first + 40)
      if (rows.length > 0) calls++
      for (const row of rows) known.add(row)
    }
    expect(calls).toBeLessThanOrEqual(6)
  })

  it('never requests a row twice, nor too many, and loads everything on screen', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 999 })),
        fc.integer({ min: 0, max: 1100 }),
        fc.integer({ min: 0, max: 300 }),
        fc.boolean(),
        (loaded, first, length, isUp) => {
          const known = new Set(loaded)
          for (let call = 0; call < 20; call++) {
            const rows = asks(known, first, first + length, isUp)
            expect(rows.length).toBeLessThanOrEqual(200)
            expect(new Set(rows).size).toBe(rows.length)
            for (const row of rows) expect(known.has(row)).toBe(false)
            for (const row of rows) known.add(row)
          }
          for (const row of shown.subarray(first, first + length)) expect(known.has(row)).toBe(true)
        },
      ),
    )
  })
})
