import type { Findings } from '../../classifier/tasks/task'
import type { TaskName } from '../../model-folder/description'

/** A class in the format of MAX. */
export interface MaxLabel {
  id: string
  name: string
}

/** Responses of one kind of MAX model. */
export interface Family {
  task: TaskName
  /** `type` in the metadata. */
  type: string
  /** Summary for the API documentation. */
  summary: string
  /** Whether predictions are classes of the model. */
  hasLabels: boolean
  /** Default of the query parameter `threshold`, if the family has it. */
  defaultThreshold?: number
  /** Properties of a prediction in Swagger. */
  prediction: object
  /** @param labels by class index */
  predictions(findings: Findings, labels: MaxLabel[]): object[]
}

/** Id of a class by name. */
export const idOf = (name: string, labels: MaxLabel[]): string =>
  labels.find((label) => label.name === name)?.id ?? ''
