import type { BatchSummary, ImageRecord } from '../schema'
import { findLabel, type NamedLabel } from './classes'
import { kindOf } from './kinds'
import type { LabelRules } from './rules'

type Label = ImageRecord['labels'][number]
type Detection = NonNullable<ImageRecord['detections']>[number]
type Counts = BatchSummary['labels']

/** How labels are shown. Records are copied, not changed. */
export interface LabelView {
  /** Labels are shown as the model names them. */
  isModels: boolean
  record(record: ImageRecord): ImageRecord
  /** The rules' verdict on a label; undefined without rules. */
  verdict?(label: NamedLabel): Verdict
  /** Shown counts of most probable labels. Those of hidden labels are dropped. */
  counts(counts: Counts): Counts
}

/** Shows labels as the model names them. */
export const modelsLabels: LabelView = {
  isModels: true,
  record: (record) => record,
  counts: (counts) => counts,
}

/** What the rules say about a label. */
interface Verdict {
  isIgnored: boolean
  /** Labels with the same name are merged, and their probabilities added. */
  name: string
  /** Minimum probability, 0–1. */
  minimum: number
}

/** The view defined by the rules of `labels.json`. */
export function labelView(rules: LabelRules): LabelView {
  const verdictOn = verdicts(rules)

  const shownLabels = (labels: Label[]): Label[] => {
    const shown = new Map<string, { label: Label; minimum: number }>()
    // The most probable label of a group represents it.
    for (const label of labels) {
      const { isIgnored, name, minimum } = verdictOn(label)
      if (isIgnored) continue
      const first = shown.get(name)
      if (first) first.label.probability = Math.min(1, first.label.probability + label.probability)
      else shown.set(name, { label: { ...label, label: name }, minimum })
    }
    return [...shown.values()]
      .filter(({ label, minimum }) => label.probability >= minimum)
      .map(({ label }) => label)
      .sort((a, b) => b.probability - a.probability)
  }

  const shownDetections = (detections: Detection[]): Detection[] =>
    detections.flatMap((detection) => {
      const { isIgnored, name, minimum } = verdictOn(findLabel(detection.label))
      return isIgnored || detection.probability < minimum ? [] : [{ ...detection, label: name }]
    })

  return {
    isModels: false,
    verdict: verdictOn,
    record: ({ labels, detections, ...record }) => ({
      ...record,
      labels: shownLabels(labels),
      ...(detections && { detections: shownDetections(detections) }),
    }),
    counts: (counts) => {
      const shown = new Map<string, number>()
      for (const { label, count } of counts) {
        const { isIgnored, name } = verdictOn(findLabel(label))
        if (!isIgnored) shown.set(name, (shown.get(name) ?? 0) + count)
      }
      return [...shown].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count)
    },
  }
}

/** A rule for the labels that a name selects. */
interface Rule<T> {
  /** The name is one of the label's own, or its id. */
  isOwn: (label: NamedLabel) => boolean
  isKind: (label: NamedLabel) => boolean
  says: T
}

function ruleFor<T>(text: string, says: T): Rule<T> {
  const wanted = text.toLowerCase()
  const isKind = kindOf(wanted)
  return {
    isOwn: ({ label, className, wordnetId }) =>
      [label, ...className.split(', '), wordnetId].some((own) => own.toLowerCase() === wanted),
    isKind: ({ wordnetId }) => wordnetId !== '' && isKind(wordnetId),
    says,
  }
}

const pick = <T>(rules: Rule<T>[], label: NamedLabel): T | undefined =>
  (rules.find(({ isOwn }) => isOwn(label)) ?? rules.find(({ isKind }) => isKind(label)))?.says

/** Applies the rules. Verdicts are cached per label. */
function verdicts({ ignore, rename, groups, minimum }: LabelRules): (label: NamedLabel) => Verdict {
  const ignored = ignore.map((text) => ruleFor(text, true))
  const members = Object.entries(groups).flatMap(([group, names]) =>
    names.map((text) => ruleFor(text, group)),
  )
  const names = [...members, ...Object.entries(rename).map(([from, to]) => ruleFor(from, to))]
  const { '*': general = 0, ...ofLabels } = minimum
  const minima = Object.entries(ofLabels).map(([text, least]) => ruleFor(text, least))
  const known = new Map<string, Verdict>()
  return (label) => {
    const id = JSON.stringify([label.label, label.className, label.wordnetId])
    const verdict = known.get(id)
    if (verdict) return verdict
    const name = pick(names, label) ?? label.label
    const made = {
      isIgnored: pick(ignored, label) ?? false,
      name,
      // Minimums may be given for the shown name, too.
      minimum: pick(minima, { ...label, className: `${name}, ${label.className}` }) ?? general,
    }
    known.set(id, made)
    return made
  }
}
