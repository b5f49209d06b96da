import { ImageError } from '../errors'
import { log } from '../log'
import { decodeHeic } from './decode-heic'
import { decodeWithJpegJs } from './decode-jpeg-js'
import { decodeWithSharp, sharp } from './decode-sharp'
import type { DecodedImage, InputSpec } from './image'
import { refusalOf, unsupported } from './refusal'
import { kindOf } from './signature'

/** Name of the decoder in use. */
export const decoder = sharp ? `sharp ${sharp.versions.sharp}` : 'jpeg-js'

/** Logs a warning if only JPEG can be decoded. */
export function warnIfOnlyJpeg(): void {
  if (!sharp) log.warn({ decoder }, 'sharp is not installed: only JPEG can be decoded')
}

/**
 * Decodes an image, resizes its shorter side to the model's size, and crops the centre.
 * @throws ImageError `image_empty`, `image_unsupported`, `image_corrupt` or `image_too_large`
 */
export async function decodeImage(bytes: Uint8Array, input: InputSpec): Promise<DecodedImage> {
  const [image] = await decodeForAll(bytes, [input])
  return image as DecodedImage
}

/**
 * As {@link decodeImage} for several inputs, decoding the image once.
 * @param inputs further inputs do not change the pixels of the first
 * @returns one per input; fewer if only the part for the first can be decoded
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
