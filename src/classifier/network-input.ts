import type { SquareInput } from '../model-folder/description'
import type { DecodedImage } from './image'
import { preprocessor } from './preprocess'

/** Input of a network: raw pixels if it scales them itself. */
export type NetworkInput = Float32Array | Uint8Array

/** Creates a network's input: `of` writes images to one reused buffer; `blank` is an empty image. */
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
