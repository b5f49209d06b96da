import type { ModelClass } from '../model-folder/description'

/** A class predicted by the model. */
export interface Label {
  /** First name of the class: `tabby`. */
  label: string
  /** All names of the class: `tabby, tabby cat`. */
  className: string
  /** Empty for classes that are not in WordNet. */
  wordnetId: string
  /** Index of the class in the model's output. */
  index: number
  probability: number
}

/**
 * The `count` most probable classes, highest first; ties in class order.
 * @param probabilities one per class
 */
export function topLabels(probabilities: Float32Array, classes: ModelClass[], count: number): Label[] {
  const best: { index: number; probability: number }[] = []
  // Keeps only the best in order: sorting a thousand classes for a handful takes longer than preprocessing the pixels.
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

/** Converts logits to probabilities. */
export function softmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const exponentials = logits.map((value) => Math.exp(value - highest))
  const sum = exponentials.reduce((a, b) => a + b, 0)
  return exponentials.map((value) => value / sum)
}
