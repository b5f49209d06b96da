import * as fc from 'fast-check'
import { fitted, isFitted, moved, type Size, type View, zoomedTo } from '../../src/web/gallery/ui/viewer/zoom'

const stage = { width: 1000, height: 600 }
const picture = { width: 4000, height: 3000 }

const sizes = (min: number, max: number): fc.Arbitrary<Size> =>
  fc.record({ width: fc.integer({ min, max }), height: fc.integer({ min, max }) })
const points = fc.record({ x: fc.integer({ min: -500, max: 500 }), y: fc.integer({ min: -500, max: 500 }) })

/** Converts screen coordinates to pixels of the picture, relative to its centre. */
const inPicture = ({ scale, x, y }: View, at: { x: number; y: number }) => [
  (at.x - x) / scale,
  (at.y - y) / scale,
]

it('fits a picture to the stage, and enlarges a small one at most twice', () => {
  expect(fitted(stage, picture)).toEqual({ scale: 0.2, x: 0, y: 0 })
  expect(fitted(stage, { width: 100, height: 50 }).scale).toBe(2)
})

it('zooms to a point of the picture', () => {
  const view = zoomedTo(fitted(stage, picture), 1, { x: 100, y: -50 }, stage, picture)
  expect(view.scale).toBe(1)
  const before = inPicture(fitted(stage, picture), { x: 100, y: -50 })
  const after = inPicture(view, { x: 100, y: -50 })
  for (const axis of [0, 1]) expect(after[axis]).toBeCloseTo(before[axis] ?? Number.NaN)
})

it('leaves no gap beside a large picture, and does not move a small one', () => {
  fc.assert(
    fc.property(
      sizes(100, 2000),
      sizes(1, 9000),
      fc.double({ min: 0.01, max: 20, noNaN: true }),
      points,
      points,
      (on, of, scale, at, by) => {
        const view = moved(zoomedTo(fitted(on, of), scale, at, on, of), by, on, of)
        expect(Math.abs(view.x)).toBeLessThanOrEqual(
          Math.max(0, (of.width * view.scale - on.width) / 2) + 1e-6,
        )
        expect(Math.abs(view.y)).toBeLessThanOrEqual(
          Math.max(0, (of.height * view.scale - on.height) / 2) + 1e-6,
        )
      },
    ),
  )
})

it('zooms out no further than the whole picture', () => {
  const near = zoomedTo(fitted(stage, picture), 3, { x: 300, y: 0 }, stage, picture)
  expect(isFitted(near, stage, picture)).toBe(false)
  expect(zoomedTo(near, 0, { x: 300, y: 0 }, stage, picture)).toEqual(fitted(stage, picture))
})
