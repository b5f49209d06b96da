import type { Findings } from '../../classifier/tasks/task'
import type { TaskName } from '../../model-folder/description'

/** A class in MAX's terms. */
export interface MaxLabel {
  id: string
  name: string
}

/** What MAX's models of one kind answer. */
export interface Family {
  task: TaskName
  /** In the metadata. */
  type: string
  /** What a prediction does, for people. */
  summary: string
  /** Whether its answers are of the classes that the model names. */
  hasLabels: boolean
  /** Of the query parameter `threshold`, if there is one. */
  defaultThreshold?: number
  /** The fields of a prediction, in Swagger's terms. */
  prediction: object
  /** @param labels by the position of their classes */
  predictions(findings: Findings, labels: MaxLabel[]): object[]
}

/** The id of a class by its name. */
export const idOf = (name: string, labels: MaxLabel[]): string =>
  labels.find((label) => label.name === name)?.id ?? ''
