import type { IndexLabel, ShownLabel } from '../contract'

/** How labels are displayed. */
export interface Overlay {
  /** Distinct display names. */
  names: string[]
  /** Index of the display name, by label id. */
  nameOf: Int32Array
  /** Selects the top label of a row by the rules; undefined if it is always the first. */
  top?: TopOf
}

/**
 * @param labels of a row, most probable first
 * @param confidences in thousandths
 */
export type TopOf = (labels: number[], confidences: number[]) => { label: number; confidence: number }

/** @param shown by label id; undefined without labels.json */
export function overlayOf(labels: IndexLabel[], shown?: ShownLabel[]): Overlay {
  const ids = new Map<string, number>()
  const nameOf = Int32Array.from(labels, ({ label }, id) => {
    const text = shown?.[id]?.name ?? label
    const known = ids.get(text) ?? ids.size
    ids.set(text, known)
    return known
  })
  const names = [...ids.keys()]
  const isTop = shown && changesOrder(names.length, shown)
  return { names, nameOf, top: isTop ? topOf(nameOf, shown) : undefined }
}

/** Whether rules can change the top label; renaming alone cannot. */
const changesOrder = (names: number, shown: ShownLabel[]): boolean =>
  names < shown.length || shown.some(({ isIgnored, minimum }) => isIgnored || minimum > 0)

/** Same rules as in `results`: labels with the same name add up, represented by the most probable one. */
function topOf(nameOf: Int32Array, shown: ShownLabel[]): TopOf {
  const isIgnored = shown.map((label) => label.isIgnored)
  const minima = shown.map(({ minimum }) => minimum * 1000)

  /** Sum over the labels with the same name; -1 if an earlier label represents them. */
  const sumAt = (at: number, labels: number[], confidences: number[]): number => {
    const name = nameOf[labels[at] as number]
    let sum = 0
    for (let other = 0; other < labels.length; other++) {
      const label = labels[other] as number
      if (isIgnored[label] || nameOf[label] !== name) continue
      if (other < at) return -1
      sum += confidences[other] as number
    }
    return Math.min(1000, sum)
  }

  return (labels, confidences) => {
    let [best, most] = [-1, -1]
    for (let at = 0; at < labels.length; at++) {
      const label = labels[at] as number
      if (label < 0 || isIgnored[label]) continue
      const sum = sumAt(at, labels, confidences)
      if (sum <= most || sum < (minima[label] as number)) continue
      best = label
      most = sum
    }
    return { label: best, confidence: Math.max(0, most) }
  }
}
