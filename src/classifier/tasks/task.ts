import type { DescriptionOf, TaskName } from '../../model-folder/description'
import type { ModelFolder } from '../../model-folder/folder'
import type { Detection } from '../../schema'
import type { EngineName } from '../engines/names'
import type { DecodedImage, InputSpec } from '../image'
import type { Label } from '../labels'

/** Predictions for an image. */
export interface Findings {
  /** Most probable first. */
  labels: Label[]
  /** For models that locate objects. */
  detections?: Detection[]
}

/** A loaded model for one task: one file of this folder per task. */
export interface Task {
  /** Input to decode images for. */
  input: InputSpec
  /**
   * Runs one blank inference, which compiles, allocates, and shows whether the engine supports the model.
   * @throws Error if it does not
   */
  warmUp(): Promise<void>
  /**
   * Runs the model; one image at a time.
   * @param count number of labels
   * @param threshold minimum probability of detections; default: the model's own
   */
  predict(image: DecodedImage, count: number, threshold?: number): Promise<Findings>
  /** Memory statistics for the log; must not grow from image to image. */
  memory(): object | Promise<object>
  dispose(): void
}

/**
 * Loads a model.
 * @param path of the model's folder, for error messages
 * @throws Error if it cannot be used
 */
export type LoadTask<T extends TaskName> = (
  folder: ModelFolder<DescriptionOf<T>>,
  engine: EngineName,
  path: string,
) => Promise<Task>
