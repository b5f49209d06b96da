import type { SquareInput } from '../model-folder/description'
import type { DecodedImage } from './image'

/**
 * Converts an image to the network's input: `[1, size, size, 3]`, normalised as in training.
 * @param into buffer to reuse: allocating one takes longer than scaling
 */
export type Preprocess = (image: DecodedImage, into?: Float32Array) => Float32Array

/** Uses a lookup table: a channel has only 256 values. */
export function preprocessor({ mean, std }: SquareInput): Preprocess {
  const [red, green, blue] = [0, 1, 2].map((channel) =>
    Float32Array.from({ length: 256 }, (_, value) => (value - of(mean, channel)) / of(std, channel)),
  ) as [Float32Array, Float32Array, Float32Array]
  return ({ pixels }, values = new Float32Array(pixels.length)) => {
    for (let i = 0; i < values.length; i += 3) {
      values[i] = red[pixels[i] as number] as number
      values[i + 1] = green[pixels[i + 1] as number] as number
      values[i + 2] = blue[pixels[i + 2] as number] as number
    }
    return values
  }
}

const of = (value: SquareInput['mean'], channel: number): number =>
  typeof value === 'number' ? value : (value[channel] ?? 0)
