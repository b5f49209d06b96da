import { computed, type ReadonlySignal, signal } from '@preact/signals-core'
import pLimit from 'p-limit'
import type { IndexDirectory, IndexKeys } from '../contract'
import { firstRows } from './photo-index'
import { type IndexSource, readSections } from './sections'

interface Block {
  first: number
  keys: string[]
  /** All keys in lower case, for searching; built on demand. */
  lower?: { text: string; starts: Uint32Array }
}

/** Keys of an index, loaded on demand. */
export interface Keys {
  /** Share loaded, 0–1. */
  share: ReadonlySignal<number>
  /** @throws GalleryError */
  load(): Promise<void>
  /** Undefined if not loaded. */
  at(row: number): string | undefined
  /** 1 for each row whose key contains the text; case-insensitive. Subscribes to {@link share}. */
  having(text: string): Uint8Array
}

/** @param sourceOf current source of `index.bin`, whose URL is renewed */
export function keysOf(
  fetcher: typeof fetch,
  directory: IndexDirectory,
  sourceOf: () => IndexSource,
  abort?: AbortSignal,
): Keys {
  const { blocks } = directory
  const firsts = firstRows(directory)
  const loaded: (Block | undefined)[] = blocks.map(() => undefined)
  const count = signal(0)
  let loading: Promise<void> | undefined

  const loadAll = async (): Promise<void> => {
    const limit = pLimit(4)
    const loadBlock = async (at: number) => {
      const section = blocks[at]?.keys
      if (!section || loaded[at]) return
      abort?.throwIfAborted()
      const [found] = await readSections(fetcher, sourceOf(), [section], abort)
      loaded[at] = { first: firsts[at] ?? 0, keys: (found as IndexKeys).key }
      count.value++
    }
    await Promise.all(blocks.map((_, at) => limit(() => loadBlock(at))))
  }

  return {
    share: computed(() => (blocks.length === 0 ? 1 : count.value / blocks.length)),
    load: () => {
      loading ??= loadAll().catch((thrown) => {
        // The next call retries.
        loading = undefined
        throw thrown
      })
      return loading
    },
    at: (row) => {
      const block = loaded.findLast((one) => one !== undefined && one.first <= row)
      return block?.keys[row - block.first]
    },
    having: (text) => {
      const hits = new Uint8Array(directory.rows)
      if (count.value > 0) for (const block of loaded) if (block) markHits(block, text.toLowerCase(), hits)
      return hits
    },
  }
}

/** Searches one long text, which is faster than many short ones. */
function markHits(block: Block, text: string, hits: Uint8Array): void {
  block.lower ??= lowerOf(block.keys)
  const { text: all, starts } = block.lower
  const startOf = (at: number) => starts[at] ?? all.length
  let at = 0
  for (let found = all.indexOf(text); found >= 0 && at < block.keys.length; ) {
    while (startOf(at + 1) <= found) at++
    // A match must not extend into the next key.
    const isWithin = found + text.length < startOf(at + 1)
    if (isWithin) hits[block.first + at] = 1
    found = all.indexOf(text, isWithin ? startOf(at + 1) : found + 1)
  }
}

function lowerOf(keys: string[]): { text: string; starts: Uint32Array } {
  const lower = keys.map((key) => `${key.toLowerCase()}\n`)
  const starts = new Uint32Array(lower.length + 1)
  lower.forEach((key, at) => {
    starts[at + 1] = (starts[at] ?? 0) + key.length
  })
  return { text: lower.join(''), starts }
}
