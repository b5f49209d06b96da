import { randomNumbers } from '../../random-numbers'

function shuffled<T>(items: T[], random: () => number): T[] {
  const rest = [...items]
  return items.map(() => rest.splice(Math.floor(random() * rest.length), 1)[0] as T)
}

/**
 * Holds out a share of each label's examples, the same ones each time and never all of a label.
 * @param share 0–1
 */
export function split<T extends { label: number }>(examples: T[], share: number): { held: T[]; kept: T[] } {
  const random = randomNumbers(1)
  const labels = [...new Set(examples.map(({ label }) => label))]
  const held = new Set(
    labels.flatMap((label) => {
      const own = examples.filter((example) => example.label === label)
      // At least one of two or more, or the label would not be tested.
      const count = Math.min(share > 0 ? Math.max(1, Math.round(own.length * share)) : 0, own.length - 1)
      return shuffled(own, random).slice(0, count)
    }),
  )
  return {
    held: examples.filter((example) => held.has(example)),
    kept: examples.filter((example) => !held.has(example)),
  }
}
