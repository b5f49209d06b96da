import jpeg, { type UintArrRet } from 'jpeg-js'
import { ImageError, messageOf } from '../errors'
import { cropOf, scaledSize } from './geometry'
import type { DecodedImage, InputSpec } from './image'
import { orientationOf, readExifOrientation, turnUpright, uprightSize } from './orientation'
import { planOf, resample } from './resample/resample'

/** Decodes baseline and progressive JPEG in JavaScript: slow fallback for platforms without a sharp binary. */
export function decodeWithJpegJs(bytes: Uint8Array, inputs: InputSpec[]): DecodedImage[] {
  const start = performance.now()
  const { exifBuffer, ...image } = decode(bytes)
  // jpeg-js keeps the second of the two zero bytes after "Exif".
  const exif = exifBuffer?.subarray(1)
  const orientation = orientationOf(readExifOrientation(exif))
  const { rows: height, columns: width } = uprightSize(image, orientation)
  return inputs.map((input) => {
    const scaled = scaledSize(image, input)
    const cut = cropOf(scaled, input, orientation)
    const plan = planOf(image, {
      scaled,
      region: cut,
      kernel: input.kernel,
      columnsFirst: orientation.swapped,
    })
    return {
      pixels: turnUpright(resample(image, plan), cut, orientation),
      ...uprightSize(cut, orientation),
      width,
      height,
      format: 'jpeg',
      exif,
      ms: performance.now() - start,
    }
  })
}

/** jpeg-js needs 20 bytes per pixel (measured: 245 MB for 12 megapixels), which is all that a 512 MB action has left. */
const limits = { maxResolutionInMP: 12.5, maxMemoryUsageInMB: 160 }

/** jpeg-js' types lack the EXIF block. */
type Decoded = UintArrRet & { exifBuffer?: Uint8Array }

function decode(bytes: Uint8Array): Decoded {
  try {
    return jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, ...limits })
  } catch (cause) {
    const message = messageOf(cause)
    if (/maxResolutionInMP|maxMemoryUsageInMB/.test(message)) {
      throw new ImageError('image_too_large', `The image is too large to decode without sharp: ${message}`, {
        hint: `Shrink it below ${limits.maxResolutionInMP} megapixels, or run npm install sharp.`,
        cause,
      })
    }
    throw new ImageError('image_corrupt', `The image could not be decoded: ${message}`, { cause })
  }
}
