import type { BatchSummary, ImageRecord } from './record'

/** Which images to classify, and how. */
export interface BatchRequest {
  /** Key prefix, or several. Default: all images. */
  prefix?: string | string[]
  /** Only keys that match this glob: `*.jpg` in any folder, `2026/*` in one. */
  include?: string
  /** Skip keys that match this glob. */
  exclude?: string
  /** Only the images on a list of keys, `s3://bucket/key`: text, JSON lines or CSV. */
  manifest?: string
  /** Default: the deployment's images bucket. */
  bucket?: string
  /** Model name. Default: the deployment's model. */
  model?: string
  /** Batch id, 1–64 of `a–z 0–9 . _ -`. Starting an existing batch again classifies what is missing. Default: made from the time. */
  batch?: string
  /** Classify unchanged images again. */
  force?: boolean
  /** Only images modified at or after this time. */
  since?: Date | string
  /** Only images modified up to this time. */
  until?: Date | string
  /** Only images modified within this period: `12h`, `7d`, `8w`. Excludes `since`. */
  newerThan?: string
  /** Only keys with the extensions of these formats: `jpeg,png`. */
  format?: string
  /** Bytes, or a size such as `10k` or `5M`. */
  minSize?: number | string
  maxSize?: number | string
  /** Only this share of the images, the same ones every time: `1%`. */
  sample?: string
  /** Maximum number of images. */
  limit?: number
  /** Stop after this many errors, or this share: 100, `5%`. */
  maxErrors?: number | string
  /** Do not start if the estimated cost is higher, in the currency of the price per GB-second. */
  maxCost?: number
  /** `position` adds the GPS position to records. */
  exif?: 'position'
  /** Tag each image with its top label, probability and model. */
  tag?: boolean
}

/** Progress of a batch. */
export interface BatchProgress {
  /** Images with a result, errors included. */
  done: number
  /** Images, as far as known. */
  total: number
  /** Images among `done` that failed. */
  errors: number
  /** `total` still grows: the batch is being planned, or receives uploads. */
  isGrowing: boolean
  /** Activations at work. */
  running: number
  summary: BatchSummary
}

/** Selects records; all conditions must hold. */
export interface RecordFilter {
  /**
   * Part of a name of the top label, or a WordNet hypernym of it: a name such as `dog`, or an id such as `n02084071`.
   */
  label?: string
  /** Exact names of the top label as displayed; any of them. */
  labelIs?: string[]
  /** Part of a name of the top label, of one of its hypernyms, or of the key; case-insensitive. */
  search?: string
  status?: 'ok' | 'error'
  /** Error code. */
  code?: string
  /** Key prefix. */
  prefix?: string
  /** Probability of the top label, 0–1, compared to three decimals. */
  minProbability?: number
  maxProbability?: number
  /** Local time of the camera: `2026`, `2026-05`, `2026-05-31` or `2026-05-31T18:00`. */
  takenSince?: string
  /** As `takenSince`; includes the whole year, month, day or minute. */
  takenUntil?: string
  /** Part of the camera's make and model. */
  camera?: string
  /** Use the model's own labels instead of applying `labels.json` in the results bucket. */
  modelLabels?: boolean
}

export interface WaitOptions {
  /** Called twice a second. */
  onProgress?: (progress: BatchProgress) => void
  /** Ends the wait with an `AbortError`; the batch continues. */
  signal?: AbortSignal
}

/** A batch of a deployment. */
export interface Batch {
  readonly id: string
  /**
   * Reads the current summary. Waits up to ten seconds if the batch was just started.
   * @throws StorageError `batch_not_found`
   * @throws WhisklensError `batch_not_started`
   */
  summary(): Promise<BatchSummary>
  /**
   * Waits until the batch is closed: `complete`, `cancelled` or `stopped`.
   * @throws StorageError `batch_not_found`
   * @throws WhisklensError `batch_not_started`, `batch_stalled` after 15 minutes without progress, or the error of `start-batch`
   */
  wait(options?: WaitOptions): Promise<BatchSummary>
  /**
   * Cancels the batch and keeps the results so far.
   * @returns the final summary; its state is not `cancelled` if the batch had already ended
   * @throws InvalidInputError `bad_parameter` for a batch of uploads
   * @throws StorageError `batch_not_found`
   */
  cancel(): Promise<BatchSummary>
  /**
   * Starts a new run: classifies what is missing or failed with a retryable error. {@link Batch.wait} then waits for that run.
   * @throws InvalidInputError `bad_parameter` for a batch of uploads
   * @throws StorageError `batch_not_found`
   * @throws WhisklensError `no_active_rule`
   */
  retry(): Promise<void>
  /**
   * Yields records in key order, read block by block as you iterate. For an open batch: those written so far.
   * @throws InvalidInputError `bad_parameter` for an invalid filter
   * @throws StorageError `batch_not_found`; `precondition_failed` if the results are replaced while you iterate: start again
   * @throws WhisklensError `bad_labels` for an invalid `labels.json`
   */
  records(filter?: RecordFilter): AsyncGenerator<ImageRecord, void, undefined>
}

/** A deployment of Whisklens: an OpenWhisk namespace and its buckets. */
export interface Deployment {
  /**
   * Fires `batch-requested`. Resolves before the batch starts.
   * @throws InvalidInputError `bad_parameter`; `not_configured` without OpenWhisk
   * @throws WhisklensError `no_active_rule` if no active rule listens to the trigger
   * @throws OpenWhiskError if OpenWhisk refuses the request
   */
  startBatch(request?: BatchRequest): Promise<Batch>
  /** A batch by its id. The uploads of a day (UTC) are a batch, too: `uploads-2026-11-22`. @throws InvalidInputError `bad_parameter` */
  batch(id: string): Batch
  /** Summaries of the latest batches, newest first, each with its five most frequent labels. @param limit default: 20 */
  batches(limit?: number): Promise<BatchSummary[]>
}
