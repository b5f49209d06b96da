import jpeg from 'jpeg-js'
import { ImageError, messageOf } from '../errors'
import { type DecodedImage, type InputSpec, maxPixels } from './image'
import { resampleSquare } from './resample'

/**
 * Decodes baseline and progressive JPEG in pure JavaScript: slower than sharp and without EXIF orientation, for
 * platforms that sharp has no binary for.
 */
export function decodeWithJpegJs(bytes: Uint8Array, input: InputSpec): DecodedImage {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    throw new ImageError('image_unsupported', 'The object is not a JPEG image', {
      hint: 'Other formats need sharp: npm install sharp.',
    })
  }
  const { width, height, data } = decode(bytes)
  return { pixels: resampleSquare({ width, height, data }, input), width, height, format: 'jpeg' }
}

function decode(bytes: Uint8Array) {
  try {
    return jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: maxPixels / 1e6,
      maxMemoryUsageInMB: 1024,
    })
  } catch (cause) {
    const message = messageOf(cause)
    const code = /maxResolutionInMP|maxMemoryUsageInMB/.test(message) ? 'image_too_large' : 'image_corrupt'
    throw new ImageError(code, `The image cannot be decoded: ${message}`, { cause })
  }
}
