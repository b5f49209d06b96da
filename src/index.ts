import { becomeGuest } from './guest'
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
 * The library's entry point. Everything else is loaded on first use, so that importing it stays cheap.
 */
becomeGuest()

export { type ErrorCode, errorCodes, type ImageErrorCode } from './error-codes'
export { hintOf, ImageError, InvalidInputError, OpenWhiskError, StorageError, WhisklensError } from './errors'
export type * from './library/types/classification'
export type * from './library/types/connection'
export type * from './library/types/deployment'
export type * from './library/types/record'

/**
 * Loads a model. It stays in memory for the life of the process; opening it again returns the loaded one.
 * @param model name as listed by `whisklens model list`, or path of a model folder. Default: `WHISKLENS_MODEL`, else the bundled
 *   model that suits the engine
 * @example
 * const model = await openModel('efficientnet-lite2-int8', { engine: 'onnx' })
 * const { labels } = await model.classify('cat.jpg')
 * @throws InvalidInputError `model_not_found`, `bad_model`, `wrong_checksum`; `model_unfit` if the engine cannot run the model or it
 *   has no labels; `bad_setting` for an unknown engine
 * @throws WhisklensError `engine_missing` if the engine is not installed
 */
export async function openModel(model?: string, options?: ModelOptions): Promise<Model> {
  return (await import('./library/model')).openModel(model, options)
}

/**
 * Classifies one image. The first call loads the model.
 * @param image a path, a URL, `s3://bucket/key`, or a `Uint8Array` with the encoded file
 * @param options `model` and `engine` as for {@link openModel}, and the options of {@link Model.classify}
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
 * Classifies any number of images, as {@link Model.classifyAll} does. The first call loads the model.
 * @param images paths, folders, globs, URLs, `s3://` addresses or bytes: one, or an iterable of them
 * @param options `model` and `engine` as for {@link openModel}, and the options of {@link Model.classifyAll}
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
 * Connects to the OpenWhisk namespace and the object store that Whisklens is deployed to.
 * @param options addresses and keys. Missing ones come from the same sources as for the command line
 * @example
 * const deployment = await openDeployment()
 * const batch = await deployment.startBatch({ prefix: 'photos/' })
 * const { totals } = await batch.wait({ onProgress: ({ done, total }) => console.log(`${done} of ${total}`) })
 * for await (const { key, labels } of batch.records({ label: 'dog' })) console.log(key, labels[0]?.label)
 * @throws InvalidInputError `not_configured` without an object store; `bad_setting` for an invalid setting or settings file
 */
export async function openDeployment(options?: ConnectionOptions): Promise<Deployment> {
  return (await import('./library/deployment')).openDeployment(options)
}
