import type { SquareInput } from '../models/description'
import type { DecodedImage } from './image'

/** @returns `[1, size, size, 3]`, scaled as the model was trained */
export function imageToInput({ pixels }: DecodedImage, { mean, std }: SquareInput): Float32Array {
  const [means, stds] = [channels(mean), channels(std)]
  const values = new Float32Array(pixels.length)
  for (let i = 0; i < values.length; i++) {
    values[i] = ((pixels[i] ?? 0) - (means[i % 3] ?? 0)) / (stds[i % 3] ?? 1)
  }
  return values
}

const channels = (value: SquareInput['mean']): number[] =>
  typeof value === 'number' ? [value, value, value] : value
