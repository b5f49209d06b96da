import type { ModelClass } from '../model-folder/description'

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
  const best: { index: number; probability: number }[] = []
  // Only the best are kept in order: to sort a thousand classes for a handful takes longer than to make the pixels ready.
  probabilities.forEach((probability, index) => {
    let rank = best.length
    while (rank > 0 && probability > (best[rank - 1]?.probability ?? 0)) rank--
    if (rank < count) best.splice(rank, 0, { index, probability })
    if (best.length > count) best.pop()
  })
  return best.map(({ index, probability }) => {
    const { className = `class ${index}`, wordnetId = '' } = classes[index] ?? {}
    const label = className.split(', ')[0] ?? className
    return { label, className, wordnetId, index, probability }
  })
}

/** Probabilities from what a network ends in before its softmax. */
export function softmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const exponentials = logits.map((value) => Math.exp(value - highest))
  const sum = exponentials.reduce((a, b) => a + b, 0)
  return exponentials.map((value) => value / sum)
}
