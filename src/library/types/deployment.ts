import type { BatchSummary, ImageRecord } from './record'

/** Which images a batch is to classify, and how. */
export interface BatchRequest {
  /** What the keys begin with: one or several; all images unless given. */
  prefix?: string | string[]
  /** Only keys that match this glob: `*.jpg` in any folder, `2026/*` in one. */
  include?: string
  /** No keys that match this glob. */
  exclude?: string
  /** Only images of a list of keys, `s3://bucket/key`: text, JSON lines or CSV. */
  manifest?: string
  /** The images bucket of the deployment, unless given. */
  bucket?: string
  /** Name of a model; that of the deployment, unless given. */
  model?: string
  /** Id of the batch, 1–64 of `a–z 0–9 . _ -`; starting it again does what is missing. Made from the time, unless given. */
  batch?: string
  /** Classify unchanged images again. */
  force?: boolean
  /** Only images changed at that time or later. */
  since?: Date | string
  /** Only images changed until then. */
  until?: Date | string
  /** Only images changed within that time: `12h`, `7d`, `8w`. Excludes `since`. */
  newerThan?: string
  /** Only keys with extensions of these formats: `jpeg,png`. */
  format?: string
  /** Bytes, or a size such as `10k` or `5M`. */
  minSize?: number | string
  maxSize?: number | string
  /** Such a share of the images, the same ones each time: `1%`. */
  sample?: string
  /** So many images at most. */
  limit?: number
  /** Stop after so many errors, or such a share: 100, `5%`. */
  maxErrors?: number | string
  /** Dispatch nothing if it is likely to cost more, in the currency of the price of a GB-second. */
  maxCost?: number
  /** `position`: records say where photos were taken, too. */
  exif?: 'position'
  /** Write the top label, its probability and the model to the tags of each image. */
  tag?: boolean
}

/** How far a batch has come. */
export interface BatchProgress {
  /** Images with an outcome. */
  done: number
  /** Images, as far as that is known. */
  total: number
  /** How many of `done` are in error. */
  errors: number
  /** While the batch is planned, or its uploads come in: there will be more than `total`. */
  isGrowing: boolean
  /** Activations at work. */
  running: number
  summary: BatchSummary
}

/** Which records are wanted: those that meet all of these. */
export interface RecordFilter {
  /**
   * Part of a name of the most probable label, or what it is a kind of in WordNet: a name such as `dog`, or an id such as
   * `n02084071`.
   */
  label?: string
  /** Names of the most probable label, as it is shown: any of them. */
  labelIs?: string[]
  /** Part of a name of the most probable label, of what it is a kind of, or of the key; in any case of letters. */
  search?: string
  status?: 'ok' | 'error'
  /** Code of the error. */
  code?: string
  /** What the key begins with. */
  prefix?: string
  /** Of the most probable label, 0–1, compared to three decimals. */
  minProbability?: number
  maxProbability?: number
  /** By the camera's clock: `2026`, `2026-05`, `2026-05-31` or `2026-05-31T18:00`. */
  takenSince?: string
  /** As `takenSince`; all of that year, month, day or minute is included. */
  takenUntil?: string
  /** Part of the camera's make and model. */
  camera?: string
  /** Labels as the model named them, instead of by the rules of `labels.json` in the results bucket. */
  modelLabels?: boolean
}

export interface WaitOptions {
  /** Called twice a second with how far the batch has come. */
  onProgress?: (progress: BatchProgress) => void
  /** Ends the wait, with an `AbortError`; the batch goes on. */
  signal?: AbortSignal
}

/** A batch of a deployment. */
export interface Batch {
  readonly id: string
  /**
   * How it stands. One that was just started is waited for, up to ten seconds.
   * @throws StorageError `batch_not_found`
   * @throws WhisklensError `batch_not_started`
   */
  summary(): Promise<BatchSummary>
  /**
   * Waits until it is closed: `complete`, `cancelled` or `stopped`.
   * @throws StorageError `batch_not_found`
   * @throws WhisklensError `batch_not_started`, `batch_stalled` after 15 minutes without a change, or what `start-batch` failed with
   */
  wait(options?: WaitOptions): Promise<BatchSummary>
  /**
   * Ends it, and keeps what is done.
   * @returns its summary; the state is another than `cancelled` where it was over before
   * @throws InvalidInputError `bad_parameter` for the uploads of a day
   * @throws StorageError `batch_not_found`
   */
  cancel(): Promise<BatchSummary>
  /**
   * Starts it once more: classifies what is missing, or failed for reasons that may have passed. {@link Batch.wait} then waits for
   * that run.
   * @throws InvalidInputError `bad_parameter` for the uploads of a day
   * @throws StorageError `batch_not_found`
   * @throws WhisklensError `no_active_rule`
   */
  retry(): Promise<void>
  /**
   * Its records in the order of their keys, read block by block as they are asked for; of a batch that is open, those so far.
   * @throws InvalidInputError `bad_parameter` for a filter that is not valid
   * @throws StorageError `batch_not_found`; `precondition_failed` when the results are replaced meanwhile: begin anew
   * @throws WhisklensError `bad_labels` when `labels.json` is not valid
   */
  records(filter?: RecordFilter): AsyncGenerator<ImageRecord, void, undefined>
}

/** Whisklens as it is deployed in a namespace of OpenWhisk, with its buckets. */
export interface Deployment {
  /**
   * Fires `batch-requested`. It does not wait for the batch to begin.
   * @throws InvalidInputError `bad_parameter`, or `not_configured` where no OpenWhisk is known
   * @throws WhisklensError `no_active_rule` when nothing listens to the trigger
   * @throws OpenWhiskError when OpenWhisk refuses
   */
  startBatch(request?: BatchRequest): Promise<Batch>
  /** A batch by its id; the uploads of a day (UTC) are one, too: `uploads-2026-11-22`. @throws InvalidInputError `bad_parameter` */
  batch(id: string): Batch
  /** Summaries of the newest batches, newest first, each with its five most frequent labels. @param limit 20 unless given */
  batches(limit?: number): Promise<BatchSummary[]>
}
