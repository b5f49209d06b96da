import * as fc from 'fast-check'
import { targetOf } from '../../src/web/gallery/ui/grid/keys'
import { layoutOf, mountedRows, rowsOn } from '../../src/web/gallery/ui/grid/layout'

const shapes = fc.record({
  columns: fc.integer({ min: 1, max: 12 }),
  count: fc.integer({ min: 1, max: 500 }),
})

describe('the layout of the grid', () => {
  it('fits 100,000 photos in three columns of a phone within the maximum height in browsers', () => {
    const layout = layoutOf(366, 100_000)
    expect(layout).toMatchObject({ columns: 3, rows: 33_334 })
    expect(layout.height).toBeLessThan(17_900_000)
  })

  it('fills its width and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 4000 }), (width) => {
        const { columns, square, gap } = layoutOf(width, 1000)
        const used = columns * square + (columns - 1) * gap
        expect(used).toBeLessThanOrEqual(width)
        expect(used).toBeGreaterThan(width - columns)
      }),
    )
  })

  it('mounts the rows on screen and a few more, wherever it is scrolled', () => {
    const layout = layoutOf(1600, 100_000)
    fc.assert(
      fc.property(fc.integer({ min: -2000, max: layout.height + 2000 }), (top) => {
        const { first, last } = rowsOn(layout, top, 1080)
        expect(first).toBeGreaterThanOrEqual(0)
        expect(last).toBeLessThanOrEqual(layout.rows)
        expect(last - first).toBeLessThanOrEqual(Math.ceil(1080 / layout.rowHeight) + 4)
        for (let y = Math.max(0, top); y < Math.min(layout.height, top + 1080); y += 10) {
          const row = Math.floor(y / layout.rowHeight)
          expect(row >= first && row < last).toBe(true)
        }
      }),
    )
  })

  it('keeps the focused row mounted, in order', () => {
    expect(mountedRows({ first: 5, last: 8 }, 6)).toEqual([5, 6, 7])
    expect(mountedRows({ first: 5, last: 8 }, 1)).toEqual([1, 5, 6, 7])
    expect(mountedRows({ first: 5, last: 8 }, 900)).toEqual([5, 6, 7, 900])
    expect(mountedRows({ first: 5, last: 8 }, -1)).toEqual([5, 6, 7])
  })
})

describe('keys in the grid', () => {
  const press = (key: string, at: number, ctrlKey = false) =>
    targetOf({ key, ctrlKey, metaKey: false }, at, { columns: 4, count: 10, page: 2 })

  // The grid:
  // 0 1 2 3
  // 4 5 6 7
  // 8 9
  it.each([
    ['ArrowRight', 3, 4],
    ['ArrowLeft', 4, 3],
    ['ArrowLeft', 0, 0],
    ['ArrowRight', 9, 9],
    ['ArrowDown', 1, 5],
    ['ArrowDown', 7, 7],
    ['ArrowDown', 8, 8],
    ['ArrowUp', 2, 2],
    ['ArrowUp', 9, 5],
    ['Home', 6, 4],
    ['End', 4, 7],
    ['End', 8, 9],
    ['PageDown', 0, 8],
    ['PageDown', 3, 7],
    ['PageUp', 9, 1],
  ])('%s moves from %i to %i', (key, at, to) => expect(press(key, at)).toBe(to))

  it('Home and End with Ctrl move to the very first and last', () => {
    expect([press('Home', 6, true), press('End', 1, true)]).toEqual([0, 9])
  })

  it('other keys do not move', () => {
    for (const key of ['a', 'Enter', 'constructor']) expect(press(key, 3)).toBeUndefined()
  })

  it('move to an existing cell', () => {
    const keys = fc.constantFrom(
      'ArrowLeft',
      'ArrowRight',
      'ArrowUp',
      'ArrowDown',
      'Home',
      'End',
      'PageUp',
      'PageDown',
    )
    fc.assert(
      fc.property(shapes, keys, fc.nat(), fc.boolean(), (shape, key, some, ctrlKey) => {
        const at = some % shape.count
        const to = targetOf({ key, ctrlKey, metaKey: false }, at, { ...shape, page: 3 })
        expect(to).toBeGreaterThanOrEqual(0)
        expect(to).toBeLessThan(shape.count)
      }),
    )
  })

  it('do not move in an empty grid', () => {
    expect(
      targetOf({ key: 'End', ctrlKey: false, metaKey: false }, 0, { columns: 3, count: 0, page: 2 }),
    ).toBeUndefined()
  })
})
