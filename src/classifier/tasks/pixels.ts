import * as tf from '@tensorflow/tfjs-core'
import type { EngineName } from '../engines/names'
import { useBackend } from '../engines/tfjs'
import type { DecodedImage } from '../image'

/** Has a library look at an image as a tensor `[rows, columns, 3]`, 0–255, on the engine's backend. */
export async function withPixels<T>(
  engine: EngineName,
  { pixels, rows, columns }: Pick<DecodedImage, 'pixels' | 'rows' | 'columns'>,
  look: (image: tf.Tensor3D) => Promise<T>,
): Promise<T> {
  useBackend(engine)
  const image = tf.tensor3d(pixels, [rows, columns, 3], 'int32')
  try {
    return await look(image)
  } finally {
    image.dispose()
  }
}
