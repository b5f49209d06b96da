import type * as Core from '@tensorflow/tfjs-core'
import type { TensorFlow } from '../engines/engine'
import type { DecodedImage } from '../image'

/** Runs a library on an image as a tensor `[rows, columns, 3]`, 0–255, with a backend. */
export async function withPixels<T>(
  { tf, use }: Pick<TensorFlow, 'tf' | 'use'>,
  { pixels, rows, columns }: Pick<DecodedImage, 'pixels' | 'rows' | 'columns'>,
  run: (image: Core.Tensor3D) => Promise<T>,
): Promise<T> {
  use()
  const image = tf.tensor3d(pixels, [rows, columns, 3], 'int32')
  try {
    return await run(image)
  } finally {
    image.dispose()
  }
}
