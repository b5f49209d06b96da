/*
 * Public types, written without zod so that programs need no other package to type-check. test/types/library.ts compares them
 * with the schemas.
 */

import type { WhisklensError } from '../../errors'
import type { ConnectionOptions } from './connection'

/** An encoded image and its name in results. */
export interface NamedImage {
  name: string
  /** Encoded file: JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF. */
  bytes: Uint8Array
}

/**
 * A path, an `https://` URL, `s3://bucket/key`, or the bytes of an encoded file. `classifyAll` also accepts folders, globs such
 * as `photos/**\/*.jpg`, and `s3://bucket/prefix`.
 */
export type ImageSource = string | URL | Uint8Array | NamedImage

/** A class predicted by the model. */
export interface Label {
  /** First name of the class: `tabby`. */
  label: string
  /** All names of the class: `tabby, tabby cat`. */
  className: string
  /** WordNet id, such as `n02123045`; empty for classes that are not in WordNet. */
  wordnetId: string
  /** Index of the class in the model's output. */
  index: number
  /** 0–1. */
  probability: number
}

/** An object found by a detector. */
export interface Detection {
  label: string
  /** 0–1. */
  probability: number
  /** Top, left, bottom, right, relative to the height and width of the upright image: 0–1. */
  box: [number, number, number, number]
  /** Faces only: all emotions, most probable first. */
  emotions?: { label: string; probability: number }[]
  /** Faces only: estimated age, years. */
  age?: number
}

/** Metadata written by the camera. */
export interface Exif {
  /** Local time of the camera, ISO 8601 to the second; with a UTC offset if the photo has one. */
  takenAt?: string
  /** Make and model. */
  camera?: string
  /** Degrees north and east (WGS 84). Only with `exif: 'position'`. */
  position?: { latitude: number; longitude: number }
}

/** Result for one image. */
export interface Classification {
  /** Most probable first. */
  labels: Label[]
  /** Models for detection and faces only. */
  detections?: Detection[]
  /** Upright, pixels. */
  width: number
  height: number
  /** `jpeg`, `png`, `webp`, `gif`, `avif`, `heic` or `tiff`. */
  format: string
  exif?: Exif
  /** `<id>@<8 hex>`: changes with every file of the model that affects results. */
  model: string
  /** `onnx`, `tfjs-node`, `wasm` or `cpu`. */
  engine: string
  /** Milliseconds. */
  timings: { decode: number; infer: number }
}

/** An image classified by {@link Model.classifyAll}. */
export interface ClassifiedImage extends Classification {
  /** Path, URL or address; for bytes, the given name or an empty string. */
  file: string
  error?: undefined
}

/** An image that {@link Model.classifyAll} could not read or decode. */
export interface FailedImage {
  file: string
  labels: []
  error: WhisklensError
}

export interface ModelOptions {
  /**
   * `onnx`, `tfjs-node`, `wasm` or `cpu`; `tfjs` for the fastest installed of the last three; `auto` for the fastest installed.
   * Default: `WHISKLENS_ENGINE`, else `auto`.
   */
  engine?: string
}

export interface ClassifyOptions {
  /** Number of labels, 1–1000. Default: 5. */
  top?: number
  /** `position` includes the GPS position. */
  exif?: 'position'
  /** Object store for `s3://` addresses. */
  connection?: ConnectionOptions
}

export interface ClassifyAllOptions extends ClassifyOptions {
  /**
   * Worker threads, each with its own copy of the model: 1–256, or 0 for the current thread only. Default: number of cores.
   * They start after the first few images.
   */
  threads?: number
  /** Called for each file or object found that is not an image, and for links to folders. */
  onSkip?: (file: string) => void
}

/** A model in memory, see {@link openModel}. */
export interface Model {
  /** Name. */
  readonly id: string
  /** `<id>@<8 hex>`: changes with every file of the model that affects results. */
  readonly version: string
  /** Engine that runs it: `onnx`, `tfjs-node`, `wasm` or `cpu`. */
  readonly engine: string
  /** `detection` and `faces` models also return {@link Classification.detections}. */
  readonly task: 'classification' | 'detection' | 'faces'
  /** Number of classes. */
  readonly classes: number
  /**
   * Side of the square input, pixels. The input tensor is `[1, size, size, 3]`, or `[1, 3, size, size]` for an ONNX file with
   * channels first. 0 for models that accept any shape.
   */
  readonly inputSize: number
  /**
   * Classifies one image in the current thread. Decoding runs in the thread pool; inference blocks the thread for some milliseconds.
   * Calls may overlap.
   * @throws ImageError if it cannot be decoded: `image_empty`, `image_unsupported`, `image_corrupt`, `image_too_large`
   * @throws WhisklensError if it cannot be read: `file_not_found`, `access_denied`, `file_unreadable`, `image_missing`,
   *   `download_failed`, `object_not_found`
   * @throws InvalidInputError `bad_parameter`; `not_configured` for an `s3://` address without a store
   */
  classify(image: ImageSource, options?: ClassifyOptions): Promise<Classification>
  /**
   * Classifies any number of images and yields results in input order. Folders, globs and `s3://` prefixes are listed lazily, so
   * memory stays bounded. Worker threads start after the first few images and end with the iteration, even when you leave it
   * early. An image that cannot be classified yields its error; the others continue.
   * @example
   * for await (const { file, labels, error } of model.classifyAll('photos/')) {
   *   console.log(file, error ? error.code : labels[0]?.label)
   * }
   * @throws InvalidInputError `bad_parameter`; `not_configured` for an `s3://` address without a store
   * @throws StorageError if a bucket cannot be listed
   */
  classifyAll(
    images: ImageSource | Iterable<ImageSource> | AsyncIterable<ImageSource>,
    options?: ClassifyAllOptions,
  ): AsyncGenerator<ClassifiedImage | FailedImage, void, undefined>
}
