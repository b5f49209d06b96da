import type { DescriptionOf, TaskName } from '../../model-folder/description'
import type { ModelFolder } from '../../model-folder/folder'
import type { Detection } from '../../schema'
import type { EngineName } from '../engines/names'
import type { DecodedImage, InputSpec } from '../image'
import type { Label } from '../labels'

/** What a model makes of an image. */
export interface Findings {
  /** Most probable first. */
  labels: Label[]
  /** Where things are, for models that tell. */
  detections?: Detection[]
}

/** A model in memory, by what it is for: one file of this folder each. */
export interface Task {
  /** How its images are to be decoded. */
  input: InputSpec
  /**
   * Looks at nothing: the first inference compiles and allocates, and shows whether the engine knows all of the model.
   * @throws Error when it does not
   */
  warmUp(): Promise<void>
  /**
   * One image at a time.
   * @param count how many labels to keep
   * @param threshold what is less probable is left out of the detections; without it, the model's own
   */
  look(image: DecodedImage, count: number, threshold?: number): Promise<Findings>
  /** What it holds, for the log: it must not grow from image to image. */
  memory(): object | Promise<object>
  dispose(): void
}

/**
 * Brings a model into memory.
 * @param path of the model's folder, for errors
 * @throws Error when it cannot be used, with the reason
 */
export type LoadTask<T extends TaskName> = (
  folder: ModelFolder<DescriptionOf<T>>,
  engine: EngineName,
  path: string,
) => Promise<Task>
