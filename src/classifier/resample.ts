import { cutOf, type InputSpec, type Size, scaledSize } from './image'
import { type Orientation, orientationOf } from './orientation'

/** An RGB image, row by row, 0–255. */
export interface RgbImage {
  width: number
  height: number
  data: Uint8Array
}

interface Kernel {
  /** It is zero from this distance on. */
  radius: number
  weight(distance: number): number
}

/** The cubics of Mitchell and Netravali: b 0 and c ½ is Catmull–Rom's, which sharp calls cubic. */
const cubic = (b: number, c: number): Kernel => ({
  radius: 2,
  weight: (x) =>
    (x < 1
      ? ((12 - 9 * b - 6 * c) * x + (-18 + 12 * b + 6 * c)) * x * x + (6 - 2 * b)
      : (((-b - 6 * c) * x + (6 * b + 30 * c)) * x + (-12 * b - 48 * c)) * x + (8 * b + 24 * c)) / 6,
})

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

const kernels: Record<InputSpec['kernel'], Kernel> = {
  linear: { radius: 1, weight: (x) => 1 - x },
  cubic: cubic(0, 1 / 2),
  mitchell: cubic(1 / 3, 1 / 3),
  lanczos3: { radius: 3, weight: (x) => sinc(x) * sinc(x / 3) },
}

interface Tap {
  start: number
  weights: number[]
}

/** For each of `count` output positions from `offset` on, which inputs count how much. `scale` is input per output. */
function taps(
  { radius, weight }: Kernel,
  inputLength: number,
  scale: number,
  offset: number,
  count: number,
): Tap[] {
  // When shrinking, the kernel is stretched over all the inputs an output stands for, or fine detail would alias.
  const stretch = Math.max(scale, 1)
  return Array.from({ length: count }, (_, index) => {
    const centre = (index + offset + 0.5) * scale - 0.5
    const start = Math.max(0, Math.ceil(centre - radius * stretch))
    const end = Math.min(inputLength - 1, Math.floor(centre + radius * stretch))
    const weights = Array.from({ length: end - start + 1 }, (_, i) =>
      weight(Math.min(Math.abs(start + i - centre) / stretch, radius)),
    )
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return { start, weights: weights.map((weight) => weight / sum) }
  })
}

/**
 * Resizes an image as its model wants it: the pure-JavaScript twin of what sharp does for {@link decodeWithSharp}. Only
 * the pixels inside the cut are computed.
 * @returns width×height×3 bytes
 */
export function resample(
  image: RgbImage,
  input: InputSpec,
  orientation: Orientation = orientationOf(1),
): Size & { pixels: Uint8Array } {
  const { data } = image
  const scaled = scaledSize(image, input)
  const cut = cutOf(scaled, input, orientation)
  const kernel = kernels[input.kernel]
  const columns = taps(kernel, image.width, image.width / scaled.width, cut.left, cut.width)
  const rows = taps(kernel, image.height, image.height / scaled.height, cut.top, cut.height)
  const [firstRow, lastRow] = [rows[0], rows[rows.length - 1]] as [Tap, Tap]
  const top = firstRow.start
  const narrowed = new Float32Array((lastRow.start + lastRow.weights.length - top) * cut.width * 3)
  for (let y = 0; y < narrowed.length / (cut.width * 3); y++) {
    columns.forEach(({ start, weights }, x) => {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (let i = 0; i < weights.length; i++) {
          sum += (weights[i] ?? 0) * (data[((y + top) * image.width + start + i) * 3 + channel] ?? 0)
        }
        narrowed[(y * cut.width + x) * 3 + channel] = sum
      }
    })
  }
  const output = new Uint8ClampedArray(cut.width * cut.height * 3)
  rows.forEach(({ start, weights }, y) => {
    for (let x = 0; x < cut.width * 3; x++) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) {
        sum += (weights[i] ?? 0) * (narrowed[(start - top + i) * cut.width * 3 + x] ?? 0)
      }
      output[y * cut.width * 3 + x] = sum
    }
  })
  return { pixels: new Uint8Array(output.buffer), width: cut.width, height: cut.height }
}
