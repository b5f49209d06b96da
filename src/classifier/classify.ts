import { log } from '../log'
import { decodeImage } from './decode'
import type { DecodedImage, InputSpec } from './image'
import { type Label, topLabels } from './labels'
import type { LoadedModel } from './load'
import { stage } from './stage'

/** What one image holds, and what it took to find out. */
export interface Classification {
  labels: Label[]
  width: number
  height: number
  format: string
  /** Milliseconds. */
  timings: { decode: number; infer: number }
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
  model: LoadedModel,
  bytes: Uint8Array,
  count: number = recordLabels,
): Promise<Classification> {
  const start = performance.now()
  const { folder } = model
  const image = await stage('decodeImage', () => decodeImage(bytes, folder.description.input))
  const decoded = performance.now()
  const probabilities = await stage('classify', () => infer(model, image))
  const inferred = performance.now()
  log.debug({ stage: 'memory', ...model.predictor.memory() }, 'memory')
  return {
    labels: topLabels(probabilities, folder.classes, count),
    width: image.width,
    height: image.height,
    format: image.format,
    timings: { decode: milliseconds(decoded - start), infer: milliseconds(inferred - decoded) },
  }
}

/** Runs the network. @returns one probability for each class */
async function infer({ predictor, folder }: LoadedModel, image: DecodedImage): Promise<Float32Array> {
  const input = await stage('imageToInput', () => imageToInput(image, folder.description.input))
  const [probabilities = new Float32Array()] = await predictor.predict(input)
  return probabilities
}

/** @returns `[1, size, size, 3]`, scaled as the model was trained */
function imageToInput({ pixels }: DecodedImage, { mean, std }: InputSpec): Float32Array {
  const values = new Float32Array(pixels.length)
  for (let i = 0; i < values.length; i++) values[i] = ((pixels[i] ?? 0) - mean) / std
  return values
}

const milliseconds = (value: number): number => Math.round(value * 10) / 10
