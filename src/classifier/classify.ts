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

/** What one image holds, and what it took to find out. */
export interface Classification extends Findings {
  width: number
  height: number
  format: string
  exif?: Exif
  /** Milliseconds. */
  timings: { decode: number; infer: number }
}

export interface Looking {
  /** Of detections, see {@link Task.look}. */
  threshold?: number
  /** Whether to say where a photo was taken. */
  withPosition?: boolean
  /** Is given the whole image, small, before the model looks at it; nothing where only what the model sees can be decoded. */
  onSmall?: (small?: DecodedImage) => void
}

/** Labels a record keeps. */
export const recordLabels = 5

/**
 * Classifies one image with a loaded model.
 * @param bytes the file as it is: JPEG, PNG, WebP, GIF, AVIF or TIFF
 * @param count how many labels to keep, most probable first
 * @throws ImageError when the bytes cannot be decoded
 */
export async function classifyImage(
  { task }: LoadedModel,
  bytes: Uint8Array,
  count: number = recordLabels,
  { threshold, withPosition = false, onSmall }: Looking = {},
): Promise<Classification> {
  // The block stays here: it can be as large as the file, and models may run in a thread of their own.
  const inputs = onSmall ? [task.input, smallInput] : [task.input]
  const [decoded, small] = await stage('decodeImage', () => decodeForAll(bytes, inputs))
  const { exif: block, profile: _, ...image } = decoded as DecodedImage
  onSmall?.(small)
  const { ms: infer, ...findings } = await stage('classify', () => task.look(image, count, threshold))
  // Finding out takes time of its own.
  if (log.isLevelEnabled('debug')) log.debug({ stage: 'memory', ...(await task.memory()) }, 'memory')
  const { width, height, format, ms: decode } = image
  const exif = readExif(format === 'heic' ? await heicExif(bytes) : block, withPosition)
  const timings = { decode: rounded(decode), infer: rounded(infer) }
  return { ...findings, width, height, format, ...(exif && { exif }), timings }
}

const rounded = (value: number): number => Math.round(value * 10) / 10
