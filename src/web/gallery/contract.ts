import type * as format from '../../batch/reports/index-format'
import type { BatchSummary, ImageRecord } from '../../schema'

/*
 * Contract between the gallery page and the action `results`, and the index: columns to filter, sort and count by in the browser,
 * so that records are downloaded only when they are displayed.
 */

export type {
  IndexBlock,
  IndexColumns,
  IndexKeys,
  IndexOthers,
  Section,
} from '../../batch/reports/index-format'
export { recordsPerChunk } from '../../batch/reports/index-format'
export { latestRecords } from '../../batch/reports/latest-records'

/** Contents of `index.bin`. Ids in columns are indexes into these lists. */
export interface IndexDirectory extends format.IndexDirectory<IndexLabel> {
  /** Names of hypernyms, in lower case: `dog`, `animal`. */
  kinds: string[]
}

/** A label as named by the model. */
export interface IndexLabel {
  label: string
  /** All its names, comma-separated. */
  className: string
  wordnetId: string
  /** Hypernyms, as indexes into the list of kinds, which labels share. */
  kinds: number[]
}

/** How labels.json displays a label. */
export interface ShownLabel {
  /** Labels with the same name are merged: their probabilities add up. */
  name: string
  isIgnored: boolean
  /** Minimum probability, 0–1. */
  minimum: number
}

export interface Notice {
  code: string
  message: string
  hint?: string
}

/** `?batch=<id>&format=index`: summary and index of a batch. */
export interface IndexAnswer {
  /** Its labels are the model's. */
  summary: BatchSummary
  index: IndexDirectory & {
    /** Id of this index, sent with requests for its rows. */
    id: string
    /** Presigned URL of `index.bin`, for range requests. */
    url: string
    /** ETag of `index.bin`. A different one means that the index was replaced. */
    etag: string
    /** Only the first rows: a large batch is indexed completely once it is closed. */
    isPartial: boolean
  }
  /** By label id; undefined without labels.json. */
  shown?: ShownLabel[]
  /** Duration in the action, milliseconds. Wait at least twenty times as long before the next request. */
  took: number
  notice?: Notice
}

/** A record with its row and presigned URLs. Its labels are displayed according to labels.json. */
export interface RowRecord extends ImageRecord {
  row: number
  /** Of the image. */
  url: string
  /** Of the thumbnail, if there is one. */
  thumbnailUrl?: string
}

/**
 * `?batch=<id>&index=<id>&rows=0-99,250`: at most 200 records, in row order. If they do not fit into the answer, the last ones are
 * missing; request them again. 409 `index_changed` if the index was replaced.
 */
export interface RowsAnswer {
  records: RowRecord[]
  /** Expiry of the URLs, ISO 8601. */
  expires: string
}

/*
 * Routes of the local mode, below `/local` on the page's origin. They require the secret in the fragment of the address
 * (`#owner=…`) as `Authorization: Bearer …`, and a JSON content type for JSON. A failure is `{error, code}`.
 */

/** `GET /local` */
export interface LocalAnswer {
  version: string
  imagesBucket: string
  /** Key prefix of images dropped without a folder. */
  prefix: string
  maxImageBytes: number
  limits: { invocationsPerMinute: number; concurrentInvocations: number; firesPerMinute: number }
}

/** `PUT /local/images/<encoded key>` with the image's bytes: 201. The upload fires the trigger like any other. */
export interface UploadAnswer {
  bucket: string
  /** As stored: control characters are replaced. */
  key: string
}

/**
 * `POST /local/batches` with a {@link BatchFiring}, `POST /local/batches/<id>/retry` and `…/cancel` without a body: 202, before the
 * batch starts.
 */
export interface FiredAnswer {
  batch: string
}

/** `{}` classifies all new and changed images in the images bucket. */
export interface BatchFiring {
  prefix?: string | string[]
  /** Classify unchanged images, too. */
  force?: boolean
  include?: string
  exclude?: string
  model?: string
  /** Id of an existing batch to fire again, with its prefix and filters. */
  batch?: string
}
