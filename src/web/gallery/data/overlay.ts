import type { IndexLabel, ShownLabel } from '../contract'

interface Top {
  label: number
  name: number
  /** In thousandths. */
  confidence: number
}

/** How labels are shown on top of the model's. */
export interface Overlay {
  /** What labels are shown as, each once. */
  names: string[]
  /** Which label is on top may depend on the second to the fifth. */
  needsOthers: boolean
  /** What is shown of a row on top, by its labels and their confidences, most probable first. */
  top(labels: number[], confidences: number[]): Top
}

const none: Top = { label: -1, name: -1, confidence: 0 }

/** @param shown by label's id, where labels.json says anything */
export function overlayOf(labels: IndexLabel[], shown?: ShownLabel[]): Overlay {
  const textOf = (id: number) => shown?.[id]?.name ?? labels[id]?.label ?? ''
  const ids = new Map<string, number>()
  const nameOf = labels.map((_, id) => {
    const text = textOf(id)
    const known = ids.get(text) ?? ids.size
    ids.set(text, known)
    return known
  })
  const names = [...ids.keys()]
  const needsOthers = shown !== undefined && changesOrder(labels, shown)
  const first = ([label = -1]: number[], [confidence = 0]: number[]): Top =>
    label < 0 ? none : { label, name: nameOf[label] ?? -1, confidence }
  if (!needsOthers) return { names, needsOthers, top: first }
  return { names, needsOthers, top: (of, confidences) => topOf(of, confidences, nameOf, shown) }
}

/** Renaming alone does not: neither do two labels that the model gives one name. */
function changesOrder(labels: IndexLabel[], shown: ShownLabel[]): boolean {
  const models = new Map<string, string>()
  return shown.some(({ name, isIgnored, minimum }, id) => {
    const label = labels[id]?.label ?? ''
    const other = models.get(name) ?? label
    models.set(name, label)
    return isIgnored || minimum > 0 || other !== label
  })
}

/** As `results` shows them: labels of one name add up, and the most probable one stands for them. */
function topOf(labels: number[], confidences: number[], nameOf: number[], shown: ShownLabel[]): Top {
  const sums = new Map<number, Top>()
  labels.forEach((label, at) => {
    const name = nameOf[label]
    if (name === undefined || shown[label]?.isIgnored) return
    const sum = sums.get(name) ?? { label, name, confidence: 0 }
    sum.confidence = Math.min(1000, sum.confidence + (confidences[at] ?? 0))
    sums.set(name, sum)
  })
  let best = none
  for (const sum of sums.values()) {
    const least = (shown[sum.label]?.minimum ?? 0) * 1000
    if (sum.confidence >= least && (best === none || sum.confidence > best.confidence)) best = sum
  }
  return best
}
