import type { SquareInput } from '../model-folder/description'
import type { DecodedImage } from './image'
import { preprocessor } from './preprocess'

/** What a network is given of an image: pixels as they are where it scales them itself. */
export type NetworkInput = Float32Array | Uint8Array

/** Makes the input of a network: `of` an image in one buffer again and again, or `blank`. */
export function networkInput(input: SquareInput): {
  blank: NetworkInput
  of(image: DecodedImage): NetworkInput
} {
  const length = input.size ** 2 * 3
  if (input.type === 'uint8') return { blank: new Uint8Array(length), of: ({ pixels }) => pixels }
  const buffer = new Float32Array(length)
  const scale = preprocessor(input)
  return { blank: buffer, of: (image) => scale(image, buffer) }
}
