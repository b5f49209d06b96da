import type { ReadonlySignal } from '@preact/signals-core'
import type { BatchSummary } from '../../../schema'
import type { Notice, RowRecord } from '../contract'

/*
 * Everything of the page that is no DOM, as signals. Rows are numbers of records in the index, in the order of keys;
 * positions are places in what is shown.
 */

/** What went wrong and what to do. */
export interface Problem {
  /** Stable, as in docs/reference/errors.md; `network`, `cors` and `throttled` are the page's own. */
  code: string
  message: string
  hint?: string
}

/** `refused`: the token is missing or wrong. */
export type State = { is: 'loading' | 'ready' | 'empty' } | { is: 'refused' | 'failed'; problem: Problem }

export interface Batches {
  state: ReadonlySignal<State>
  /** Newest first; the chosen one as its latest answer has it. */
  list: ReadonlySignal<BatchSummary[]>
  /** Id of the batch that is open; the newest where the address names none. */
  chosen: ReadonlySignal<string | undefined>
  open(batch: string): void
  /** Asks for the list again, and for the batch that is open. */
  reload(): void
}

/** Whether a batch is one of a day's uploads; then its day, YYYY-MM-DD. */
export function dayOf(batch: string): string | undefined {
  return /^uploads-(\d{4}-\d\d-\d\d)$/.exec(batch)?.[1]
}

export interface Live {
  /** The batch still goes on. */
  isOpen: boolean
  isRefreshing: boolean
  /** When the next refresh comes, milliseconds since the epoch; undefined where none is due. */
  nextAt?: number
  /** Why the next one is not sooner. */
  waitsFor?: 'budget' | 'throttled' | 'hidden'
  /** Why the last one failed; what is shown is older. */
  problem?: Problem
}

export interface OpenBatch {
  /** `empty`: nothing has a result yet, or the batch had nothing to do. */
  state: ReadonlySignal<State>
  summary: ReadonlySignal<BatchSummary | undefined>
  /** What people are to know of all that is shown. */
  notices: ReadonlySignal<Notice[]>
  /** Only the first rows are there: a large batch is indexed whole once it is closed. */
  isPartial: ReadonlySignal<boolean>
  /** Share of the index that was loaded, 0–1. */
  loaded: ReadonlySignal<number>
  live: ReadonlySignal<Live>
}

export const sorts = ['key', '-confidence', 'confidence', 'taken', '-taken'] as const
/** A minus has the greatest first. What has no value is last either way. */
export type Sort = (typeof sorts)[number]

export interface Filters {
  /** Shown names; a row has to have one of them on top. None: all. */
  labels: string[]
  /** Least and greatest probability of the top label, 0–1, in thousandths. */
  confidence: [min: number, max: number]
  status: '' | 'ok' | 'error'
  /** Code of the error. */
  code: string
  /** Part of a name of the top label, of what it is a kind of, or of the key. */
  search: string
  /** By the camera's clock: a year, month, day or time, such as 2026-05-31. */
  takenSince: string
  /** Includes all of that year, month or day. */
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
  /** Whether anything is filtered; the sort is not counted. */
  isActive: ReadonlySignal<boolean>
  /** `replace` makes no new entry in the history: while one types or drags. */
  set(changes: Partial<Filters>, how?: 'push' | 'replace'): void
  toggleLabel(name: string): void
  /** Keeps the sort. */
  clear(): void
}

export interface Count {
  name: string
  count: number
}

export interface Result {
  /** Rows in the order of the sort. */
  rows: Uint32Array
  /** Rows of the index. */
  total: number
  /** Top labels by shown name, most frequent first, under all filters but that of labels. */
  labels: Count[]
  /** Under all filters but status and code. */
  statuses: { ok: number; error: number }
  /** Errors by code, under all filters but status and code. */
  codes: Count[]
  /** Top labels by probability in 50 equal bins, under all filters but confidence. */
  confidence: Uint32Array
  /** Under all filters but camera. */
  cameras: Count[]
  /** First and last day on which something was taken, of all rows. */
  taken?: { first: string; last: string }
  /** Keys are being loaded for the search: there may be more. Share that is there, 0–1. */
  searching?: number
}

/** What is known of a row before its record is there. */
export interface Cell {
  label?: string
  /** 0–1. */
  confidence: number
  /** Of an error. */
  code?: string
  key?: string
}

export interface Rows {
  /** Positions on screen, the last excluded: records are loaded for these and some beyond. */
  want(first: number, last: number): void
  /** Subscribes to the answers, as {@link cell} does. */
  record(row: number): RowRecord | undefined
  cell(row: number): Cell
  /** Why records do not come. */
  problem: ReadonlySignal<Problem | undefined>
  /** Tries again at once. */
  retry(): void
  /** Row at the top of the grid: set it when scrolling; it is renumbered when the index is replaced. */
  top: { value: number | undefined }
  /** Row that has the focus in the grid: set it when it moves; renumbered as well. */
  focused: { value: number | undefined }
  /** Grows when rows were renumbered: scroll to `top` again. */
  generation: ReadonlySignal<number>
  /** Where a row is in what is shown, or -1. */
  positionOf(row: number): number
}

export interface Viewer {
  /** Row of the photo that is open. */
  row: ReadonlySignal<number | undefined>
  /** Its position in what is shown; -1 where filters leave it out. */
  position: ReadonlySignal<number>
  open(row: number): void
  close(): void
  /** By so many positions; stops at either end. */
  move(by: number): void
}

export interface Selection {
  count: ReadonlySignal<number>
  /** Subscribes. */
  has(row: number): boolean
  /** At a position: that row alone, or with `toggle` it beside the others, with `range` from the last one to it. */
  click(position: number, how?: { toggle?: boolean; range?: boolean }): void
  /** Everything that is shown. */
  all(): void
  clear(): void
  /** How many of those selected the filters leave out. */
  hidden: ReadonlySignal<number>
}

export type ExportFormat = 'jsonl' | 'csv' | 'parquet'

export interface Exports {
  /** Subscribes. A problem where a selection is too scattered for an address. */
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

/** Only where the address has the owner's secret. */
export interface LocalMode {
  uploads: ReadonlySignal<Upload[]>
  /** The key is the prefix and the file's name or path. */
  upload(files: { name: string; file: Blob }[], prefix?: string): void
  retryUploads(): void
  /** Takes those that have ended off the list, and the problem. */
  clearUploads(): void
  /** Classifies a prefix again and opens the new batch. */
  fire(prefix: string): Promise<void>
  /** Does again what failed in the open batch for reasons that may have passed. */
  retryErrors(): Promise<void>
  /** Stops the open batch; what is done is kept. */
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
  /** Ends timers and requests. */
  close(): void
}

/** An overlay is pushed, too: the page below it does not scroll back when one returns to it. */
export type How = 'push' | 'replace' | 'overlay'

/** What of the browser is needed; `browser()` of browser.ts has the real one. */
export interface Browser {
  /** Address of the page, whole. */
  address(): string
  setAddress(address: string, how: How): void
  /** Goes back from the overlay that was pushed; false where the page was opened with it. */
  closeOverlay(): boolean
  /** Going back and forward. Returns how to end it. */
  onAddress(changed: () => void): () => void
  isHidden(): boolean
  onHidden(changed: () => void): () => void
  fetch: typeof fetch
  /** Sends a body with progress; as fetch otherwise. */
  send(
    request: { url: string; headers: Record<string, string>; body: Blob },
    progress: (bytes: number) => void,
  ): Promise<{ status: number; text: string }>
  /** Milliseconds since the epoch. */
  now(): number
  after(milliseconds: number, run: () => void): () => void
}
