import { type Family, idOf } from './family'
import { box, listOf, number, text } from './swagger-types'

const shared = { task: 'faces', type: 'Facial Recognition' } as const

/** As max-facial-emotion-classifier: each face with all emotions, most probable first. */
export const facialEmotion: Family = {
  ...shared,
  summary: 'Finds faces in an image and their emotions',
  hasLabels: true,
  prediction: {
    detection_box: box,
    emotion_predictions: listOf({ label_id: text, label: text, probability: number }),
  },
  predictions: ({ detections = [] }, labels) =>
    detections.map(({ box, emotions = [] }) => ({
      detection_box: box,
      emotion_predictions: emotions.map(({ label, probability }) => ({
        label_id: idOf(label, labels),
        label,
        probability,
      })),
    })),
}

/** As max-facial-age-estimator: each face with an age in years. */
export const facialAge: Family = {
  ...shared,
  summary: 'Finds faces in an image and estimates their age',
  hasLabels: false,
  prediction: { age_estimation: { type: 'integer' }, detection_box: box },
  predictions: ({ detections = [] }) =>
    detections.map(({ box, age = 0 }) => ({ age_estimation: Math.round(age), detection_box: box })),
}
