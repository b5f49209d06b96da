import type { ModelClass } from '../../model-folder/description'
import { type Label, topLabels } from '../labels'

/** A class detected in an image. */
export interface Found {
  label: string
  probability: number
}

/**
 * Labels of an image from its detections: each class with its highest probability.
 * @throws Error for a detection that is not in the classes
 */
export function labelsOf(found: Found[], classes: ModelClass[], count: number): Label[] {
  const probabilities = new Float32Array(classes.length)
  for (const { label, probability } of found) {
    const index = classes.findIndex(({ className }) => className === label)
    if (index < 0) throw new Error(`The model's labels do not include "${label}"`)
    probabilities[index] = Math.max(probabilities[index] ?? 0, probability)
  }
  return topLabels(probabilities, classes, count).filter(({ probability }) => probability > 0)
}

/** A share of an image's side, clipped to its edges. */
export const share = (value: number): number => Math.min(1, Math.max(0, value))
