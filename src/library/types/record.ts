import type { Detection, Exif, Label } from './classification'

/** A small picture of an image, upright, in the results bucket. */
export interface Thumbnail {
  key: string
  /** Pixels. */
  width: number
  height: number
  /** Size of the file. */
  bytes: number
}

/** What a batch found of one image, success or failure. */
export interface ImageRecord {
  schema: 'whisklens.record/1'
  bucket: string
  key: string
  /** Version of the image that was classified; null when it could not be read. */
  etag: string | null
  /** Bytes. */
  size: number | null
  /** ISO 8601. */
  lastModified: string | null
  /** `<id>@<8 hex>`. */
  model: string
  engine: string
  status: 'ok' | 'error'
  /** Five labels, most probable first; none for an error. */
  labels: Label[]
  detections?: Detection[]
  /** Upright, pixels. */
  width: number | null
  height: number | null
  format: string | null
  exif?: Exif
  thumbnail?: Thumbnail
  error?: {
    /** One of the error codes that images have. */
    code: string
    message: string
    /** Whether `retry` would try the image again. */
    retryable: boolean
    attempts: number
  }
  /** Of an image that was to be tagged: whether it was, or why not. */
  tagging?: { status: 'ok' | 'error'; code?: string; message?: string }
  /** Milliseconds. */
  timings: { download: number; decode: number; infer: number }
  activationId: string
  /** When the download began, ISO 8601. */
  at: string
}

/** How a batch stands. */
export type BatchState = 'planning' | 'running' | 'complete' | 'cancelled' | 'stopped'

/** Of an image, milliseconds. */
interface Timings {
  download: number
  decode: number
  infer: number
}

/** A batch, counted. */
export interface BatchSummary {
  schema: 'whisklens.summary/1'
  batch: string
  state: BatchState
  /** `<id>@<8 hex>`; null until the first image is done. */
  model: string | null
  engine: string | null
  /** Images. */
  totals: {
    listed: number
    planned: number
    skipped: number
    ok: number
    error: number
    pending: number
  }
  /** Most probable label of each image, counted; most frequent first. */
  labels: { label: string; count: number }[]
  /** How many images have each error code. */
  errors: Record<string, number>
  /** Where images were to be tagged: how many were, and by error code how many were not. */
  tags?: { written: number; errors: Record<string, number> }
  /** Median and 95th percentile. */
  timings: { p50: Timings; p95: Timings }
  imagesPerSecond: number
  /** How many containers of `classify` took part. */
  containers: number
  /** Memory times duration of the activations that reported. */
  gbSeconds: number
  /** `gbSeconds` times `pricePerGbSecond`, in the currency of that price. */
  cost: number
  pricePerGbSecond: number
  /** How often OpenWhisk refused an activation for want of room. */
  throttles: number
  /** False while uploads of a day come in: a key that was uploaded twice is counted twice until the day is closed. */
  exact: boolean
  /** ISO 8601. */
  startedAt: string
  /** ISO 8601; null while the batch is open. */
  endedAt: string | null
  /** Why the batch was stopped. */
  reason?: string
}
