import type { Head } from '../../network/embedding'
import { type Example, labelOf, trainHead } from './head'
import { split } from './split'

/** What was held back while a head was trained, and then tried on it. */
export interface HeldOut<T> {
  examples: T[]
  /** Those it took for another label. */
  wrong: (T & { seen: number })[]
}

/**
 * Trains a head on part of the examples to see how well it does on the others, and then on all.
 * A backend of TensorFlow.js has to be started before.
 * @param labels how many there are
 * @param share of each label's examples that are held back, 0–1
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
  const seen = held.map((example) => ({ ...example, seen: labelOf(blind, example.vector) }))
  return { head, heldOut: { examples: held, wrong: seen.filter((one) => one.seen !== one.label) } }
}
