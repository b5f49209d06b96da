import { type Family, idOf } from './family'
import { box, number, text } from './swagger-types'

/** As max-object-detector: objects with their boxes. */
export const objectDetector: Family = {
  task: 'detection',
  type: 'Object Detection',
  summary: 'Finds objects in an image',
  hasLabels: true,
  defaultThreshold: 0.7,
  prediction: { label_id: text, label: text, probability: number, detection_box: box },
  predictions: ({ detections = [] }, labels) =>
    detections.map(({ label, probability, box }) => ({
      label_id: idOf(label, labels),
      label,
      probability,
      detection_box: box,
    })),
}
