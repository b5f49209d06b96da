import type { Detection, Exif, Label } from './classification'

/** A small upright copy of an image, in the results bucket. */
export interface Thumbnail {
  key: string
  /** Pixels. */
  width: number
  height: number
  /** File size. */
  bytes: number
}

/** Result of one image in a batch, success or failure. */
export interface ImageRecord {
  schema: 'whisklens.record/1'
  bucket: string
  key: string
  /** ETag of the classified image; null if it could not be read. */
  etag: string | null
  /** Bytes. */
  size: number | null
  /** ISO 8601. */
  lastModified: string | null
  /** `<id>@<8 hex>`. */
  model: string
  engine: string
  status: 'ok' | 'error'
  /** Five labels, most probable first; empty for an error. */
  labels: Label[]
  detections?: Detection[]
  /** Upright, pixels. */
  width: number | null
  height: number | null
  format: string | null
  exif?: Exif
  thumbnail?: Thumbnail
  error?: {
    /** An image error code. */
    code: string
    message: string
    /** Whether `retry` tries the image again. */
    retryable: boolean
    attempts: number
  }
  /** Outcome of tagging, if it was requested. */
  tagging?: { status: 'ok' | 'error'; code?: string; message?: string }
  /** Milliseconds. */
  timings: { download: number; decode: number; infer: number }
  activationId: string
  /** Start of the download, ISO 8601. */
  at: string
}

/** State of a batch. */
export type BatchState = 'planning' | 'running' | 'complete' | 'cancelled' | 'stopped'

/** Per image, milliseconds. */
interface Timings {
  download: number
  decode: number
  infer: number
}

/** Totals of a batch. */
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
  /** Number of images per top label, most frequent first. */
  labels: { label: string; count: number }[]
  /** Number of images per error code. */
  errors: Record<string, number>
  /** Outcome of tagging, if it was requested: images tagged, and failures per error code. */
  tags?: { written: number; errors: Record<string, number> }
  /** Median and 95th percentile. */
  timings: { p50: Timings; p95: Timings }
  imagesPerSecond: number
  /** Containers of `classify` used. */
  containers: number
  /** Memory times duration of the activations that reported. */
  gbSeconds: number
  /** `gbSeconds` times `pricePerGbSecond`, in the currency of that price. */
  cost: number
  pricePerGbSecond: number
  /** How often OpenWhisk refused an activation because of a limit. */
  throttles: number
  /** False until a day of uploads is closed: until then a key uploaded twice is counted twice. */
  exact: boolean
  /** ISO 8601. */
  startedAt: string
  /** ISO 8601; null while the batch is open. */
  endedAt: string | null
  /** Why the batch was stopped. */
  reason?: string
}
