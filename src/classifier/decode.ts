import { ImageError } from '../errors'
import { log } from '../log'
import { decodeHeic } from './decode-heic'
import { decodeWithJpegJs } from './decode-jpeg-js'
import { decodeWithSharp, sharp } from './decode-sharp'
import type { DecodedImage, InputSpec } from './image'
import { refusalOf, unsupported } from './refusal'
import { kindOf } from './signature'

/** What decodes images here. */
export const decoder = sharp ? `sharp ${sharp.versions.sharp}` : 'jpeg-js'

/** Tells the log where most formats cannot be decoded: their images are all `image_unsupported`. */
export function warnIfOnlyJpeg(): void {
  if (!sharp) log.warn({ decoder }, 'sharp is not found: images that are no JPEG cannot be decoded')
}

/**
 * Decodes an image, brings its shorter side to the model's size and cuts out the centre.
 * @throws ImageError `image_empty`, `image_unsupported`, `image_corrupt` or `image_too_large`
 */
export async function decodeImage(bytes: Uint8Array, input: InputSpec): Promise<DecodedImage> {
  const [image] = await decodeForAll(bytes, [input])
  return image as DecodedImage
}

/**
 * As {@link decodeImage} for several that want the same image, which is decoded once.
 * @param inputs the pixels of the first are the same with and without the others
 * @returns one for each of the inputs; fewer where the first can be decoded, but not all of the image
 */
export async function decodeForAll(bytes: Uint8Array, inputs: InputSpec[]): Promise<DecodedImage[]> {
  if (bytes.length === 0) throw new ImageError('image_empty', 'The object is empty')
  const kind = kindOf(bytes)
  const format = kind?.format
  if (!format) throw refusalOf(kind)
  if (format === 'heic') return decodeHeic(bytes, inputs)
  if (sharp) return decodeWithSharp(sharp, bytes, format, inputs)
  if (format === 'jpeg') return decodeWithJpegJs(bytes, inputs)
  throw unsupported(kind.name, { without: 'sharp', hint: 'Install it: npm install sharp.' })
}
