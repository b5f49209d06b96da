import type { TaskName } from '../../model-folder/description'
import { facialAge, facialEmotion } from './faces'
import type { Family } from './family'
import { imageClassifier } from './image-classifier'
import { objectDetector } from './object-detector'

const families: Record<string, Family> = {
  'max-image-classifier': imageClassifier,
  'max-object-detector': objectDetector,
  'max-facial-emotion-classifier': facialEmotion,
  'max-facial-age-estimator': facialAge,
}

/**
 * The MAX family for a task.
 * @param max name of the MAX model to stand in for, since several have the same task
 */
export function familyOf(task: TaskName, max = ''): Family {
  const named = families[max]
  if (named?.task === task) return named
  return Object.values(families).find((family) => family.task === task) ?? imageClassifier
}
