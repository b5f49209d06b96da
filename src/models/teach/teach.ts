import type { Head } from '../../network/embedding'
import { type Example, labelOf, trainHead } from './head'
import { split } from './split'

/** The results on held-out examples. */
export interface HeldOut<T> {
  examples: T[]
  /** The misclassified ones. */
  wrong: (T & { seen: number })[]
}

/**
 * Trains a head on all examples, and another without the held-out ones to measure accuracy. Requires an active
 * TensorFlow.js backend.
 * @param labels number of labels
 * @param share of each label's examples to hold out, 0–1
 */
export async function teach<T extends Example>(
  examples: T[],
  labels: number,
  share: number,
): Promise<{ head: Head; heldOut: HeldOut<T> }> {
  const { held, kept } = split(examples, share)
  const head = await trainHead(examples, labels)
  if (held.length === 0) return { head, heldOut: { examples: [], wrong: [] } }
  const blind = await trainHead(kept, labels)
  const predictions = held.map((example) => ({ ...example, seen: labelOf(blind, example.vector) }))
  return { head, heldOut: { examples: held, wrong: predictions.filter((one) => one.seen !== one.label) } }
}
