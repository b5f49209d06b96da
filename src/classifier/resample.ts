import { centre, type InputSpec, scaledSize } from './image'

/** An RGB image, row by row, 0–255. */
export interface RgbImage {
  width: number
  height: number
  data: Uint8Array
}

/** Catmull–Rom, the cubic kernel sharp uses; zero at a distance of 2 and more. */
function cubic(distance: number): number {
  const x = Math.abs(distance)
  if (x >= 2) return 0
  return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2
}

interface Tap {
  start: number
  weights: number[]
}

/** For each of `count` output positions from `offset` on, which inputs count how much. `scale` is input per output. */
function taps(inputLength: number, scale: number, offset: number, count: number): Tap[] {
  // When shrinking, the kernel is stretched over all the inputs an output stands for, or fine detail would alias.
  const stretch = Math.max(scale, 1)
  return Array.from({ length: count }, (_, index) => {
    const centre = (index + offset + 0.5) * scale - 0.5
    const start = Math.max(0, Math.ceil(centre - 2 * stretch))
    const end = Math.min(inputLength - 1, Math.floor(centre + 2 * stretch))
    const weights = Array.from({ length: end - start + 1 }, (_, i) => cubic((start + i - centre) / stretch))
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return { start, weights: weights.map((weight) => weight / sum) }
  })
}

/**
 * Bicubic resize of the shorter side to `resizeShortSide`, then the centre `size`×`size`: the pure-JavaScript twin of
 * what sharp does for {@link decodeWithSharp}. Only the pixels inside the cut are computed.
 * @returns `size`×`size`×3 bytes
 */
export function resampleSquare({ width, height, data }: RgbImage, input: InputSpec): Uint8Array {
  const { size } = input
  const scaled = scaledSize({ width, height }, input)
  const cut = centre(scaled, size)
  const columns = taps(width, width / scaled.width, cut.left, size)
  const rows = taps(height, height / scaled.height, cut.top, size)
  const [firstRow, lastRow] = [rows[0], rows[rows.length - 1]] as [Tap, Tap]
  const top = firstRow.start
  const narrowed = new Float32Array((lastRow.start + lastRow.weights.length - top) * size * 3)
  for (let y = 0; y < narrowed.length / (size * 3); y++) {
    columns.forEach(({ start, weights }, x) => {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (let i = 0; i < weights.length; i++) {
          sum += (weights[i] ?? 0) * (data[((y + top) * width + start + i) * 3 + channel] ?? 0)
        }
        narrowed[(y * size + x) * 3 + channel] = sum
      }
    })
  }
  const output = new Uint8ClampedArray(size * size * 3)
  rows.forEach(({ start, weights }, y) => {
    for (let x = 0; x < size * 3; x++) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) {
        sum += (weights[i] ?? 0) * (narrowed[(start - top + i) * size * 3 + x] ?? 0)
      }
      output[y * size * 3 + x] = sum
    }
  })
  return new Uint8Array(output.buffer)
}
