import type { ModelClass } from '../models/folder'

/** One class a model saw in an image. */
export interface Label {
  /** The class's first name: `tabby`. */
  label: string
  /** All its names: `tabby, tabby cat`. */
  className: string
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
  return Array.from(probabilities, (probability, index) => ({ probability, index }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, count)
    .map(({ probability, index }) => {
      const { className = `class ${index}`, wordnetId = '' } = classes[index] ?? {}
      return { label: className.split(', ')[0] ?? className, className, wordnetId, index, probability }
    })
}
