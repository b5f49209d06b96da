import { log } from '../log'
import type { Exif } from '../schema'
import { decodeImage } from './decode'
import { readExif } from './exif/exif'
import { heicExif } from './exif/heic'
import type { LoadedModel } from './load'
import { stage } from './stage'
import type { Findings } from './tasks/task'

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
  { threshold, withPosition = false }: Looking = {},
): Promise<Classification> {
  // The block stays here: it can be as large as the file, and models may run in a thread of their own.
  const { exif: block, ...image } = await stage('decodeImage', () => decodeImage(bytes, task.input))
  const { ms: infer, ...findings } = await stage('classify', () => task.look(image, count, threshold))
  // Finding out takes time of its own.
  if (log.isLevelEnabled('debug')) log.debug({ stage: 'memory', ...(await task.memory()) }, 'memory')
  const { width, height, format, ms: decode } = image
  const exif = readExif(format === 'heic' ? await heicExif(bytes) : block, withPosition)
  const timings = { decode: rounded(decode), infer: rounded(infer) }
  return { ...findings, width, height, format, ...(exif && { exif }), timings }
}

const rounded = (value: number): number => Math.round(value * 10) / 10
