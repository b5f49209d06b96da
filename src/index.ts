import { beGuest } from './guest'
import type {
  Classification,
  ClassifiedImage,
  ClassifyAllOptions,
  ClassifyOptions,
  FailedImage,
  ImageSource,
  Model,
  ModelOptions,
} from './library/types/classification'
import type { ConnectionOptions } from './library/types/connection'
import type { Deployment } from './library/types/deployment'

/*
 * The library. Importing it only marks the process as a guest; everything else is loaded when needed.
 */
beGuest()

export { type ErrorCode, errorCodes, type ImageErrorCode } from './error-codes'
export { hintOf, ImageError, InvalidInputError, OpenWhiskError, StorageError, WhisklensError } from './errors'
export type * from './library/types/classification'
export type * from './library/types/connection'
export type * from './library/types/deployment'
export type * from './library/types/record'

/**
 * Loads a model, which stays in memory until the process ends.
 * @param model its name in `whisklens model list`, or the path of its folder. Defaults to `WHISKLENS_MODEL`, or the
 *   bundled model that suits the engine
 * @example
 * const model = await openModel('efficientnet-lite2-int8', { engine: 'onnx' })
 * const { labels } = await model.classify('cat.jpg')
 * @throws InvalidInputError `model_not_found`, `bad_model`, `wrong_checksum`; `model_unfit` when it does not run on
 *   the engine or has no labels; `bad_setting` for an unknown engine
 * @throws WhisklensError `engine_missing` when the engine is not installed
 */
export async function openModel(model?: string, options?: ModelOptions): Promise<Model> {
  return (await import('./library/model')).openModel(model, options)
}

/**
 * Classifies one image. The model is loaded on the first call.
 * @param image a path, a URL, `s3://bucket/key`, or the bytes of a file
 * @param options the model, and how to classify; `model` as in {@link openModel}
 * @example
 * const { labels } = await classify('cat.jpg')
 * console.log(labels[0]?.label, labels[0]?.probability)
 * @throws like {@link openModel} and {@link Model.classify}
 */
export async function classify(
  image: ImageSource,
  { model, engine, ...options }: ClassifyOptions & ModelOptions & { model?: string } = {},
): Promise<Classification> {
  return (await openModel(model, { engine })).classify(image, options)
}

/**
 * Classifies any number of images, like {@link Model.classifyAll}. The model is loaded on the first call.
 * @param images paths, folders, globs, URLs, `s3://` addresses, bytes: one, or a sequence of them
 * @param options the model, and how to classify; `model` as in {@link openModel}
 * @example
 * for await (const { file, labels, error } of classifyAll(['photos/', 's3://images/2026/'])) {
 *   console.log(file, error ? error.code : labels[0]?.label)
 * }
 * @throws like {@link openModel} and {@link Model.classifyAll}
 */
export async function* classifyAll(
  images: ImageSource | Iterable<ImageSource> | AsyncIterable<ImageSource>,
  { model, engine, ...options }: ClassifyAllOptions & ModelOptions & { model?: string } = {},
): AsyncGenerator<ClassifiedImage | FailedImage, void, undefined> {
  yield* (await openModel(model, { engine })).classifyAll(images, options)
}

/**
 * Connects to a deployment: its OpenWhisk and its object store.
 * @param options missing ones are resolved as by the command line
 * @example
 * const deployment = await openDeployment()
 * const batch = await deployment.startBatch({ prefix: 'photos/' })
 * const { totals } = await batch.wait({ onProgress: ({ done, total }) => console.log(`${done} of ${total}`) })
 * for await (const { key, labels } of batch.records({ label: 'dog' })) console.log(key, labels[0]?.label)
 * @throws InvalidInputError `not_configured` when no object store is configured; `bad_setting` when a setting or its file is
 *   not valid
 */
export async function openDeployment(options?: ConnectionOptions): Promise<Deployment> {
  return (await import('./library/deployment')).openDeployment(options)
}
