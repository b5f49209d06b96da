import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { assembled } from '../../scripts/assemble-resample'
import { cropOf, scaledSize } from '../../src/classifier/geometry'
import type { RgbImage } from '../../src/classifier/image'
import { orientationOf, readExifOrientation, turnUpright } from '../../src/classifier/orientation'
import { planOf, resample } from '../../src/classifier/resample/resample'
import type { SquareInput } from '../../src/model-folder/description'
import { difference } from '../helpers/images'

const spec = (
  size: number,
  resizeShortSide: number,
  kernel: SquareInput['kernel'] = 'cubic',
): SquareInput => ({
  size,
  resizeShortSide,
  kernel,
  mean: 0,
  std: 1,
})

/** The pixels of an upright image. */
function resampled(image: RgbImage, input: SquareInput, columnsFirst = false): Uint8Array {
  const scaled = scaledSize(image, input)
  const region = cropOf(scaled, input, orientationOf(1))
  return resample(image, planOf(image, { scaled, region, kernel: input.kernel, columnsFirst }))
}

const image = (side = 40): fc.Arbitrary<RgbImage> =>
  fc
    .record({ width: fc.integer({ min: 1, max: side }), height: fc.integer({ min: 1, max: side }) })
    .chain(({ width, height }) => {
      const length = width * height * 3
      return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ width, height, data }))
    })

/** Python's rounding. */
const halfToEven = (value: number): number =>
  value % 1 === 0.5 ? Math.floor(value) + (Math.floor(value) % 2) : Math.round(value)

/** Reference implementation: every input pixel, weighted by the stretched Catmull–Rom kernel. */
function naive({ width, height, data }: RgbImage, { size, resizeShortSide = size }: SquareInput): Uint8Array {
  const kernel = (distance: number): number => {
    const x = Math.abs(distance)
    if (x >= 2) return 0
    return x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2
  }
  const short = Math.min(width, height)
  const weightsOf = (length: number) => {
    const scaled = halfToEven(length * (resizeShortSide / short))
    const scale = length / scaled
    return Array.from({ length: size }, (_, index) => {
      const at = (halfToEven((scaled - size) / 2) + index + 0.5) * scale - 0.5
      const weights = Array.from({ length }, (_, from) => kernel((from - at) / Math.max(1, scale)))
      const sum = weights.reduce((total, weight) => total + weight, 0)
      return weights.map((weight) => weight / sum)
    })
  }
  const [columns, rows] = [weightsOf(width), weightsOf(height)]
  const narrowed = new Uint8ClampedArray(height * size * 3).map((_, index) => {
    const [x, y, channel] = [Math.floor(index / 3) % size, Math.floor(index / 3 / size), index % 3]
    const valueAt = (from: number): number => data[(y * width + from) * 3 + channel] ?? 0
    return columns[x]?.reduce((sum, weight, from) => sum + weight * valueAt(from), 0) ?? 0
  })
  // Rounds and clamps like resampling does between its passes.
  return Uint8Array.from(
    new Uint8ClampedArray(size * size * 3).map((_, index) => {
      const [at, y] = [index % (size * 3), Math.floor(index / 3 / size)]
      return (
        rows[y]?.reduce((sum, weight, from) => sum + weight * (narrowed[from * size * 3 + at] ?? 0), 0) ?? 0
      )
    }),
  )
}

describe('resampling in JavaScript', () => {
  it('agrees with the definition to a rounding step per pass, for any image', () => {
    const sizes = fc.constantFrom(spec(8, 8), spec(7, 9), spec(12, 16), spec(5, 30))
    fc.assert(
      fc.property(image(), sizes, (source, wanted) => {
        const [given, expected] = [resampled(source, wanted), naive(source, wanted)]
        return given.every((value, index) => Math.abs(value - (expected[index] ?? 0)) <= 2)
      }),
      { numRuns: 200 },
    )
  })

  it('keeps a plain image unchanged, for any size and kernel', () => {
    const sides = fc.integer({ min: 1, max: 60 })
    const kernels = fc.constantFrom('cubic', 'lanczos3', 'mitchell', 'linear')
    fc.assert(
      fc.property(
        sides,
        sides,
        fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)),
        kernels,
        (width, height, colour, kernel) => {
          const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => colour[index % 3] ?? 0)
          const output = resampled({ width, height, data }, spec(9, 11, kernel))
          return output.length === 9 * 9 * 3 && output.every((value, index) => value === colour[index % 3])
        },
      ),
    )
  })

  it('changes nothing without scaling', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 300, maxLength: 300 }), (data) => {
        expect(resampled({ width: 10, height: 10, data }, spec(10, 10))).toEqual(data)
      }),
    )
  })

  it('crops the centre, rounding half a pixel to even', () => {
    const data = Uint8Array.from({ length: 13 * 13 * 3 }, (_, index) => Math.floor(index / 3) % 13)
    const row = resampled({ width: 13, height: 13, data }, spec(10, 13)).subarray(0, 30)
    expect([...row].filter((_, index) => index % 3 === 0)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it.each(['cubic', 'lanczos3', 'mitchell', 'linear'] as const)(
    'agrees with sharp for %s',
    async (kernel) => {
      const photo = sharp(`${__dirname}/../../samples/palace.jpg`)
      const { data, info } = await photo.clone().raw().toBuffer({ resolveWithObject: true })
      const scaled = await sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
        .resize(384, 256, { fit: 'fill', kernel })
        .extract({ left: 80, top: 16, width: 224, height: 224 })
        .raw()
        .toBuffer()
      const source = { width: info.width, height: info.height, data }
      expect(difference(resampled(source, spec(224, 256, kernel)), scaled)).toBeLessThan(1)
    },
  )
})

describe('EXIF orientation', () => {
  /** An EXIF block. @param before number of entries before the orientation */
  const block = (littleEndian: boolean, orientation: number, before: number): Uint8Array => {
    const bytes = new Uint8Array(8 + 2 + (before + 1) * 12 + 4)
    const view = new DataView(bytes.buffer)
    view.setUint16(0, littleEndian ? 0x4949 : 0x4d4d)
    view.setUint16(2, 42, littleEndian)
    view.setUint32(4, 8, littleEndian)
    view.setUint16(8, before + 1, littleEndian)
    const at = 10 + before * 12
    view.setUint16(at, 0x0112, littleEndian)
    view.setUint16(at + 2, 3, littleEndian)
    view.setUint32(at + 4, 1, littleEndian)
    view.setUint16(at + 8, orientation, littleEndian)
    return bytes
  }

  it('is read in either byte order, wherever its entry is', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1, max: 8 }), fc.nat(20), (order, orientation, before) => {
        return readExifOrientation(block(order, orientation, before)) === orientation
      }),
    )
  })

  it('is undefined, without an exception, for anything else', () => {
    expect(readExifOrientation(undefined)).toBeUndefined()
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void readExifOrientation(bytes)))
    fc.assert(
      fc.property(fc.boolean(), fc.nat(40), (order, length) => {
        expect(readExifOrientation(block(order, 6, 3).subarray(0, length))).toBeUndefined()
      }),
    )
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i: turning upright moves every pixel once', (orientation) => {
    const pixels = Uint8Array.from({ length: 5 * 4 * 3 }, (_, index) => index)
    const upright = turnUpright(pixels, { width: 5, height: 4 }, orientationOf(orientation))
    expect([...upright].sort((a, b) => a - b)).toEqual([...pixels])
  })
})

describe('resample.wat', () => {
  it('matches the assembled code.ts', async () => {
    const code = await readFile(join(__dirname, '../../src/classifier/resample/code.ts'), 'utf8')
    expect(await assembled()).toBe(code)
  })

  it.each(['cubic', 'lanczos3', 'linear'] as const)(
    'gives a transposed image transposed pixels, columns first, with %s',
    (kernel) => {
      fc.assert(
        fc.property(image(70), ({ width, height, data }) => {
          const turned = turnUpright(
            data,
            { width, height },
            { swapped: true, mirroredX: false, mirroredY: false },
          )
          const across = resampled({ width: height, height: width, data: turned }, spec(9, 11, kernel), true)
          const size = { width: 9, height: 9 }
          const back = turnUpright(across, size, { swapped: true, mirroredX: false, mirroredY: false })
          expect(back).toEqual(resampled({ width, height, data }, spec(9, 11, kernel)))
        }),
      )
    },
  )
})
