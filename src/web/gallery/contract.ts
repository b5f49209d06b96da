import type * as format from '../../batch/reports/index-format'
import type { BatchSummary, ImageRecord } from '../../schema'

/*
 * What the gallery page and the action `results` say to each other, and what an index holds: columns to filter, sort and
 * count by in the browser, so that records are downloaded only once they are shown.
 */

export type {
  IndexBlock,
  IndexColumns,
  IndexKeys,
  IndexOthers,
  Section,
} from '../../batch/reports/index-format'
export { recordsPerChunk } from '../../batch/reports/index-format'

/** What `index.bin` holds. Ids in columns are positions in these lists. */
export interface IndexDirectory extends format.IndexDirectory<IndexLabel> {
  /** Names of what labels are kinds of, in lower case: `dog`, `animal`. */
  kinds: string[]
}

/** A label as the model names it. */
export interface IndexLabel {
  label: string
  /** All its names, with commas between them. */
  className: string
  wordnetId: string
  /** What it is a kind of: positions in the list of kinds. Labels share most of theirs. */
  kinds: number[]
}

/** How labels.json has a label shown. */
export interface ShownLabel {
  /** Labels of one name are one: their probabilities add up. */
  name: string
  isIgnored: boolean
  /** Least probability, 0–1. */
  minimum: number
}

export interface Notice {
  code: string
  message: string
  hint?: string
}

/** `?batch=<id>&format=index`: how a batch stands, and its index. */
export interface IndexAnswer {
  /** Its labels are the model's. */
  summary: BatchSummary
  index: IndexDirectory & {
    /** Names this index: what is asked of its rows carries it. */
    id: string
    /** Of `index.bin`, presigned: read by ranges. */
    url: string
    /** Of `index.bin`: where an answer has another one, the index is not there any more. */
    etag: string
    /** Only the first rows: a large batch is indexed whole once it is closed. */
    isPartial: boolean
  }
  /** By label's id, where labels.json says anything. */
  shown?: ShownLabel[]
  /** How long this took the action, milliseconds: to be asked again no sooner than in twenty times as long. */
  took: number
  notice?: Notice
}

/** A record of a row, with presigned URLs. Its labels are shown as labels.json has it. */
export interface RowRecord extends ImageRecord {
  row: number
  /** Of the image itself. */
  url: string
  /** Of its thumbnail, where it has one. */
  thumbnailUrl?: string
}

/**
 * `?batch=<id>&index=<id>&rows=0-99,250`: those records in the order of the rows, at most 200. Where not all fit into an answer, the
 * last ones are missing and have to be asked for again. 409 `index_changed` where that index is not there any more.
 */
export interface RowsAnswer {
  records: RowRecord[]
  /** Until when the URLs hold, ISO 8601. */
  expires: string
}

/*
 * Routes of the local mode, below `/local` of the page's own origin. They take the secret of the address's fragment
 * (`#owner=…`) as `Authorization: Bearer …`, and JSON with its content type. A failure is `{error, code}`.
 */

/** `GET /local` */
export interface LocalAnswer {
  version: string
  imagesBucket: string
  /** What the key of a dropped image begins with that comes without a folder. */
  prefix: string
  maxImageBytes: number
  limits: { invocationsPerMinute: number; concurrentInvocations: number; firesPerMinute: number }
}

/** `PUT /local/images/<key, encoded>` with the image's bytes: 201. The upload fires as any other does. */
export interface UploadAnswer {
  bucket: string
  /** As it is stored: control characters are replaced. */
  key: string
}

/**
 * `POST /local/batches` with what of {@link BatchFiring} is wanted, `POST /local/batches/<id>/retry` and `…/cancel` without a
 * body: 202, before the batch has begun.
 */
export interface FiredAnswer {
  batch: string
}

/** `{}` classifies all that is new or changed in the images bucket. */
export interface BatchFiring {
  prefix?: string | string[]
  /** Unchanged images as well. */
  force?: boolean
  include?: string
  exclude?: string
  model?: string
  /** Of a batch to fire again, with the prefix and the filters that it has. */
  batch?: string
}
