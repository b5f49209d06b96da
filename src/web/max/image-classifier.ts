import type { Family } from './family'
import { number, text } from './swagger-types'

/** As max-inception-resnet-v2 and similar models: the five most probable labels. */
export const imageClassifier: Family = {
  task: 'classification',
  type: 'Image Classification',
  summary: 'Classifies an image',
  hasLabels: true,
  prediction: { label_id: text, label: text, probability: number },
  // By index: two ImageNet classes are called crane.
  predictions: (findings, labels) =>
    findings.labels.map(({ label, index, probability }) => ({
      label_id: labels[index]?.id,
      label,
      probability,
    })),
}
