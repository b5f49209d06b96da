import jpeg, { type UintArrRet } from 'jpeg-js'
import { ImageError, messageOf } from '../errors'
import { cutOf, scaledSize } from './geometry'
import type { DecodedImage, InputSpec } from './image'
import { orientationOf, readExifOrientation, turnUpright, uprightSize } from './orientation'
import { planOf, resample } from './resample/resample'

/** Decodes baseline and progressive JPEG in pure JavaScript: slower, for platforms that sharp has no binary for. */
export function decodeWithJpegJs(bytes: Uint8Array, inputs: InputSpec[]): DecodedImage[] {
  const start = performance.now()
  const { exifBuffer, ...image } = decode(bytes)
  // jpeg-js leaves the second of the two zero bytes after "Exif" in place.
  const exif = exifBuffer?.subarray(1)
  const orientation = orientationOf(readExifOrientation(exif))
  const { rows: height, columns: width } = uprightSize(image, orientation)
  return inputs.map((input) => {
    const scaled = scaledSize(image, input)
    const cut = cutOf(scaled, input, orientation)
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

/** jpeg-js takes 20 bytes a pixel (measured: 12 megapixels 245 MB), which is all that an action of 512 MB has left. */
const limits = { maxResolutionInMP: 12.5, maxMemoryUsageInMB: 160 }

/** The types of jpeg-js do not name the EXIF block. */
type Decoded = UintArrRet & { exifBuffer?: Uint8Array }

function decode(bytes: Uint8Array): Decoded {
  try {
    return jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, ...limits })
  } catch (cause) {
    const message = messageOf(cause)
    if (/maxResolutionInMP|maxMemoryUsageInMB/.test(message)) {
      throw new ImageError(
        'image_too_large',
        `The image is too large to be decoded without sharp: ${message}`,
        {
          hint: `Make it smaller than ${limits.maxResolutionInMP} megapixels, or npm install sharp.`,
          cause,
        },
      )
    }
    throw new ImageError('image_corrupt', `The image cannot be decoded: ${message}`, { cause })
  }
}
