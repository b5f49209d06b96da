import { log } from '../log'
import type { Exif } from '../schema'
import { decodeForAll } from './decode'
import { readExif } from './exif/exif'
import { heicExif } from './exif/heic'
import type { DecodedImage } from './image'
import type { LoadedModel } from './load'
import { stage } from './stage'
import type { Findings } from './tasks/task'
import { smallInput } from './thumbnail'

/** Result and timings of one image. */
export interface Classification extends Findings {
  width: number
  height: number
  format: string
  exif?: Exif
  /** Milliseconds. */
  timings: { decode: number; infer: number }
}

export interface Looking {
  /** For detections, see {@link Task.predict}. */
  threshold?: number
  /** Include the GPS position. */
  withPosition?: boolean
  /** Called before inference with the whole image, small; undefined if only the model's part of it can be decoded. */
  onSmall?: (small?: DecodedImage) => void
}

/** Number of labels in a record. */
export const recordLabels = 5

/**
 * Classifies one image with a loaded model.
 * @param bytes encoded file: JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF
 * @param count number of labels, most probable first
 * @throws ImageError if the bytes cannot be decoded
 */
export async function classifyImage(
  { task }: LoadedModel,
  bytes: Uint8Array,
  count: number = recordLabels,
  { threshold, withPosition = false, onSmall }: Looking = {},
): Promise<Classification> {
  // The block releases the decoded data early: it can be as large as the file, and models may run in another thread.
  const inputs = onSmall ? [task.input, smallInput] : [task.input]
  const [decoded, small] = await stage('decodeImage', () => decodeForAll(bytes, inputs))
  const { exif: block, profile: _, ...image } = decoded as DecodedImage
  onSmall?.(small)
  const { ms: infer, ...findings } = await stage('classify', () => task.predict(image, count, threshold))
  // Measuring takes time.
  if (log.isLevelEnabled('debug')) log.debug({ stage: 'memory', ...(await task.memory()) }, 'memory')
  const { width, height, format, ms: decode } = image
  const exif = readExif(format === 'heic' ? await heicExif(bytes) : block, withPosition)
  const timings = { decode: rounded(decode), infer: rounded(infer) }
  return { ...findings, width, height, format, ...(exif && { exif }), timings }
}

const rounded = (value: number): number => Math.round(value * 10) / 10
