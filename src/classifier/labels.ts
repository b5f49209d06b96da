import type { ModelClass } from '../models/description'

/** One class a model saw in an image. */
export interface Label {
  /** The class's first name: `tabby`. */
  label: string
  /** All its names: `tabby, tabby cat`. */
  className: string
  /** Empty where the model's classes are none of WordNet's. */
  wordnetId: string
  /** Position in the model's classes; for ImageNet models, ImageNet's order. */
  index: number
  probability: number
}

/**
 * The `count` most probable classes, highest first; equal ones in class order.
 * @param probabilities one for each class
 */
export function topLabels(probabilities: Float32Array, classes: ModelClass[], count: number): Label[] {
  const probabilityOf = (index: number): number => probabilities[index] ?? 0
  return Array.from(probabilities.keys())
    .sort((a, b) => probabilityOf(b) - probabilityOf(a) || a - b)
    .slice(0, count)
    .map((index) => {
      const { className = `class ${index}`, wordnetId = '' } = classes[index] ?? {}
      const label = className.split(', ')[0] ?? className
      return { label, className, wordnetId, index, probability: probabilityOf(index) }
    })
}
