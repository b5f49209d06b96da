import type { Family } from './family'
import { number, text } from './swagger-types'

/** As max-inception-resnet-v2 and its like: the five most probable labels. */
export const imageClassifier: Family = {
  task: 'classification',
  type: 'Image Classification',
  summary: 'Classifies an image',
  hasLabels: true,
  prediction: { label_id: text, label: text, probability: number },
  // By position: two of ImageNet's classes are called crane.
  predictions: (findings, labels) =>
    findings.labels.map(({ label, index, probability }) => ({
      label_id: labels[index]?.id,
      label,
      probability,
    })),
}
