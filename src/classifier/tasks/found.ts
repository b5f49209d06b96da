import type { ModelClass } from '../../model-folder/description'
import { type Label, topLabels } from '../labels'

/** A class seen somewhere in an image. */
export interface Found {
  label: string
  probability: number
}

/**
 * The labels of an image by what was seen in it: each class with the probability of its surest sight.
 * @throws Error when something is none of the classes
 */
export function labelsOf(found: Found[], classes: ModelClass[], count: number): Label[] {
  const probabilities = new Float32Array(classes.length)
  for (const { label, probability } of found) {
    const index = classes.findIndex(({ className }) => className === label)
    if (index < 0) throw new Error(`The model's labels do not name "${label}"`)
    probabilities[index] = Math.max(probabilities[index] ?? 0, probability)
  }
  return topLabels(probabilities, classes, count).filter(({ probability }) => probability > 0)
}

/** A share of an image's side: what reaches beyond its edges is cut off. */
export const share = (value: number): number => Math.min(1, Math.max(0, value))
