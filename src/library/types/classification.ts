/*
 * What the library takes and gives, without the schemas behind it: a program needs nothing but Whisklens to be checked
 * against it. test/types/library.ts holds it to the schemas.
 */

import type { WhisklensError } from '../../errors'
import type { ConnectionOptions } from './connection'

/** The bytes of an image, and what it is called in results. */
export interface NamedImage {
  name: string
  /** The file as it is: JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF. */
  bytes: Uint8Array
}

/**
 * Where an image is: a path, an `https://` URL, `s3://bucket/key`, or its bytes. `classifyAll` also takes folders, globs
 * such as `photos/**\/*.jpg`, and `s3://bucket/prefix`.
 */
export type ImageSource = string | URL | Uint8Array | NamedImage

/** One class that a model saw in an image. */
export interface Label {
  /** The first name of the class: `tabby`. */
  label: string
  /** All its names: `tabby, tabby cat`. */
  className: string
  /** Id of the class in WordNet, such as `n02123045`; empty where the model's classes are none of WordNet's. */
  wordnetId: string
  /** Position among the classes of the model; for ImageNet models, ImageNet's order. */
  index: number
  /** 0–1. */
  probability: number
}

/** One thing in an image, and where it is. */
export interface Detection {
  label: string
  /** 0–1. */
  probability: number
  /** Top, left, bottom, right, as shares of the upright image's height and width: 0–1. */
  box: [number, number, number, number]
  /** Of a face, all that are told apart, most probable first. */
  emotions?: { label: string; probability: number }[]
  /** Of a face, in years, estimated. */
  age?: number
}

/** What a camera wrote into a photo. */
export interface Exif {
  /** By the camera's clock, ISO 8601 to the second; with an offset from UTC where the photo has one. */
  takenAt?: string
  /** Make and model. */
  camera?: string
  /** Degrees north and east (WGS 84). Only where it was asked for. */
  position?: { latitude: number; longitude: number }
}

/** What one image holds. */
export interface Classification {
  /** Most probable first. */
  labels: Label[]
  /** Where things are, from models that detect. */
  detections?: Detection[]
  /** Upright, pixels. */
  width: number
  height: number
  /** `jpeg`, `png`, `webp`, `gif`, `avif`, `heic` or `tiff`. */
  format: string
  exif?: Exif
  /** `<id>@<8 hex>`: changes whenever a file of the model does that shapes results. */
  model: string
  /** `onnx`, `tfjs-node`, `wasm` or `cpu`. */
  engine: string
  /** Milliseconds. */
  timings: { decode: number; infer: number }
}

/** An image of {@link Model.classifyAll} that was classified. */
export interface ClassifiedImage extends Classification {
  /** Its path, URL or address; the name of bytes, or nothing. */
  file: string
  error?: undefined
}

/** An image of {@link Model.classifyAll} that could not be read or decoded. */
export interface FailedImage {
  file: string
  labels: []
  error: WhisklensError
}

export interface ModelOptions {
  /**
   * `onnx`, `tfjs-node`, `wasm` or `cpu`; `tfjs` for the best of the last three; `auto` for the best that works. As
   * `WHISKLENS_ENGINE` says, or `auto`, unless given.
   */
  engine?: string
}

export interface ClassifyOptions {
  /** How many labels, 1–1000; 5 unless given. */
  top?: number
  /** `position`: says where photos were taken, too. */
  exif?: 'position'
  /** Where the store of `s3://` addresses is. */
  connection?: ConnectionOptions
}

export interface ClassifyAllOptions extends ClassifyOptions {
  /**
   * How many worker threads, each with a model of its own, classify what is more than a few images: 1–256, or 0 for this
   * thread alone; as many as the machine has cores unless given.
   */
  threads?: number
  /** Told of each file or object below a folder or prefix, or matching a glob, that is no image, and of links to folders. */
  onSkip?: (file: string) => void
}

/** A model in memory. It stays there as long as the process lives: opening it again costs nothing. */
export interface Model {
  /** Its name. */
  readonly id: string
  /** `<id>@<8 hex>`: changes whenever a file does that shapes results. */
  readonly version: string
  /** What runs it: `onnx`, `tfjs-node`, `wasm` or `cpu`. */
  readonly engine: string
  /** What it is for: `detection` and `faces` also tell where things are. */
  readonly task: 'classification' | 'detection' | 'faces'
  /** How many classes it tells apart. */
  readonly classes: number
  /**
   * What the network sees of an image, pixels: the side of its square, a tensor `[1, size, size, 3]`, or
   * `[1, 3, size, size]` where its ONNX file has channels first; 0 where it sees images of any shape.
   */
  readonly inputSize: number
  /**
   * Classifies one image in this thread: decodes it, which needs other threads, and runs the network, which blocks this one for
   * some milliseconds. Any number of calls may be under way.
   * @throws ImageError when it cannot be decoded: `image_empty`, `image_unsupported`, `image_corrupt`, `image_too_large`
   * @throws WhisklensError when it cannot be read: `file_not_found`, `access_denied`, `file_unreadable`, `image_missing`,
   *   `download_failed`, `object_not_found`
   * @throws InvalidInputError `bad_parameter`, or `not_configured` where an `s3://` address has no store
   */
  classify(image: ImageSource, options?: ClassifyOptions): Promise<Classification>
  /**
   * Classifies any number of images, in their order: those of folders, globs and `s3://` prefixes are found as they are needed,
   * so that memory stays bounded. More than a few are classified by worker threads, which end with the iteration, also when it is
   * left early. An image that cannot be classified comes with its error, and the others go on.
   * @example
   * for await (const { file, labels, error } of model.classifyAll('photos/')) {
   *   console.log(file, error ? error.code : labels[0]?.label)
   * }
   * @throws InvalidInputError `bad_parameter`, or `not_configured` where an `s3://` address has no store
   * @throws StorageError when a bucket cannot be listed
   */
  classifyAll(
    images: ImageSource | Iterable<ImageSource> | AsyncIterable<ImageSource>,
    options?: ClassifyAllOptions,
  ): AsyncGenerator<ClassifiedImage | FailedImage, void, undefined>
}
