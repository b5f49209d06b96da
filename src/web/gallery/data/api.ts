import type { ReadonlySignal } from '@preact/signals-core'
import type { BatchSummary } from '../../../schema'
import type { Notice, RowRecord } from '../contract'

/*
 * State of the page, without the DOM, as signals. A row is the number of a record in the index, in key order; a position is a
 * place among the rows that pass the filters.
 */

/** An error and what to do about it. */
export interface Problem {
  /** Error code as in docs/reference/errors.md; `network`, `cors` and `throttled` are the page's own. */
  code: string
  message: string
  hint?: string
}

/** `refused`: the token is missing or wrong. */
export type State = { is: 'loading' | 'ready' | 'empty' } | { is: 'refused' | 'failed'; problem: Problem }

export interface Batches {
  state: ReadonlySignal<State>
  /** Newest first; the open batch with its latest summary. */
  list: ReadonlySignal<BatchSummary[]>
  /** Id of the open batch; the latest if the address has none. */
  chosen: ReadonlySignal<string | undefined>
  open(batch: string): void
  /** Reloads the list and the open batch. */
  reload(): void
}

/** The day of a batch of uploads, YYYY-MM-DD; undefined for other batches. */
export function dayOf(batch: string): string | undefined {
  return /^uploads-(\d{4}-\d\d-\d\d)$/.exec(batch)?.[1]
}

export interface Live {
  /** The batch is still open. */
  isOpen: boolean
  isRefreshing: boolean
  /** Time of the next refresh, milliseconds since the epoch; undefined if none is scheduled. */
  nextAt?: number
  /** Why the next refresh is delayed. */
  waitsFor?: 'budget' | 'throttled' | 'hidden'
  /** Why the last refresh failed; the data is older. */
  problem?: Problem
}

export interface OpenBatch {
  /** `empty`: no results yet, or nothing to do. */
  state: ReadonlySignal<State>
  summary: ReadonlySignal<BatchSummary | undefined>
  /** Warnings about the data. */
  notices: ReadonlySignal<Notice[]>
  /** Only the first rows: a large batch is indexed completely once it is closed. */
  isPartial: ReadonlySignal<boolean>
  /** Share of the index loaded, 0–1. */
  loaded: ReadonlySignal<number>
  live: ReadonlySignal<Live>
}

export const sorts = ['key', '-confidence', 'confidence', 'taken', '-taken'] as const
/** A minus sorts in descending order. Rows without a value come last either way. */
export type Sort = (typeof sorts)[number]

export interface Filters {
  /** Display names; matches rows whose top label is one of them. Empty: all. */
  labels: string[]
  /** Range of the top label's probability, 0–1, in thousandths. */
  confidence: [min: number, max: number]
  status: '' | 'ok' | 'error'
  /** Error code. */
  code: string
  /** Part of a name of the top label, of a hypernym, or of the key. */
  search: string
  /** Camera's local time: a year, month, day or time, such as 2026-05-31. */
  takenSince: string
  /** Includes the whole year, month or day. */
  takenUntil: string
  /** Part of make and model. */
  camera: string
  sort: Sort
}

export const noFilters: Filters = {
  labels: [],
  confidence: [0, 1],
  status: '',
  code: '',
  search: '',
  takenSince: '',
  takenUntil: '',
  camera: '',
  sort: 'key',
}

export interface FilterControl {
  now: ReadonlySignal<Filters>
  /** Whether any filter is set, apart from the sort order. */
  isActive: ReadonlySignal<boolean>
  /** `replace` adds no history entry: for typing and dragging. */
  set(changes: Partial<Filters>, how?: 'push' | 'replace'): void
  toggleLabel(name: string): void
  /** Keeps the sort order. */
  clear(): void
}

export interface Count {
  name: string
  count: number
}

export interface Result {
  /** Rows in sort order. */
  rows: Uint32Array
  /** Number of rows in the index. */
  total: number
  /** Top labels by display name, most frequent first, under all filters except labels. */
  labels: Count[]
  /** Under all filters except status and code. */
  statuses: { ok: number; error: number }
  /** Errors by code, under all filters except status and code. */
  codes: Count[]
  /** Top labels by probability in 50 equal bins, under all filters except confidence. */
  confidence: Uint32Array
  /** Under all filters except camera. */
  cameras: Count[]
  /** First and last day on which a photo was taken, over all rows. */
  taken?: { first: string; last: string }
  /** Share of the keys loaded for a search, 0–1; set while more may be found. */
  searching?: number
}

/** Data of a row available before its record. */
export interface Cell {
  label?: string
  /** 0–1. */
  confidence: number
  /** Error code. */
  code?: string
  key?: string
}

export interface Rows {
  /** Positions on screen, end exclusive. Loads their records and some beyond. */
  want(first: number, last: number): void
  /** The loaded record. Subscribes, as {@link cell} does. */
  record(row: number): RowRecord | undefined
  cell(row: number): Cell
  /** Why records are not loading. */
  problem: ReadonlySignal<Problem | undefined>
  /** Retries immediately. */
  retry(): void
  /** Row at the top of the grid, set on scroll; renumbered when the index is replaced. */
  top: { value: number | undefined }
  /** Focused row of the grid, set on focus; renumbered, too. */
  focused: { value: number | undefined }
  /** Incremented when rows are renumbered: scroll to `top` again. */
  generation: ReadonlySignal<number>
  /** Position of a row, or -1. */
  positionOf(row: number): number
}

export interface Viewer {
  /** Row of the open photo. */
  row: ReadonlySignal<number | undefined>
  /** Its position; -1 if filtered out. */
  position: ReadonlySignal<number>
  open(row: number): void
  close(): void
  /** Moves by a number of positions; stops at the ends. */
  move(by: number): void
}

export interface Selection {
  count: ReadonlySignal<number>
  /** Subscribes. */
  has(row: number): boolean
  /** Selects the row at a position; `toggle` keeps the others, `range` selects from the last clicked row. */
  click(position: number, how?: { toggle?: boolean; range?: boolean }): void
  /** Selects all filtered rows. */
  all(): void
  clear(): void
  /** Number of selected rows that are filtered out. */
  hidden: ReadonlySignal<number>
}

export type ExportFormat = 'jsonl' | 'csv' | 'parquet'

export interface Exports {
  /** Subscribes. A problem if the selection does not fit into a URL. */
  urlOf(what: 'shown' | 'selected', format: ExportFormat): string | Problem
}

export interface Upload {
  id: number
  key: string
  file: Blob
  bytes: number
  sent: number
  state: 'waiting' | 'sending' | 'done' | 'failed'
  problem?: Problem
}

/** Available if the address has the owner's secret. */
export interface LocalMode {
  uploads: ReadonlySignal<Upload[]>
  /** The key is the prefix and the file's name or path. */
  upload(files: { name: string; file: Blob }[], prefix?: string): void
  retryUploads(): void
  /** Removes finished uploads from the list, and the problem. */
  clearUploads(): void
  /** Classifies a prefix again and opens the new batch. */
  fire(prefix: string): Promise<void>
  /** Retries retryable errors in the open batch. */
  retryErrors(): Promise<void>
  /** Cancels the open batch; results are kept. */
  cancelBatch(): Promise<void>
  problem: ReadonlySignal<Problem | undefined>
}

export interface Gallery {
  batches: Batches
  batch: OpenBatch
  filters: FilterControl
  result: ReadonlySignal<Result>
  rows: Rows
  viewer: Viewer
  selection: Selection
  exports: Exports
  local?: LocalMode
  /** Stops timers and aborts requests. */
  close(): void
}

/** `overlay` pushes an entry, too, but the page below does not scroll back on return. */
export type How = 'push' | 'replace' | 'overlay'

/** Browser APIs used by the page; browser() in browser.ts has the real ones. */
export interface Browser {
  /** Full address of the page. */
  address(): string
  setAddress(address: string, how: How): void
  /** Goes back from a pushed overlay; false if the page was opened with it. */
  closeOverlay(): boolean
  /** Called on back and forward. Returns a function that unsubscribes. */
  onAddress(changed: () => void): () => void
  isHidden(): boolean
  onHidden(changed: () => void): () => void
  fetch: typeof fetch
  /** PUT with upload progress. */
  send(
    request: { url: string; headers: Record<string, string>; body: Blob },
    progress: (bytes: number) => void,
  ): Promise<{ status: number; text: string }>
  /** Milliseconds since the epoch. */
  now(): number
  after(milliseconds: number, run: () => void): () => void
}
