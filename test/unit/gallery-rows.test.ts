import { signal } from '@preact/signals-core'
import type { Action } from '../../src/web/gallery/data/action'
import type { Browser, Result } from '../../src/web/gallery/data/api'
import type { PhotoIndex } from '../../src/web/gallery/data/photo-index'
import { recordCache } from '../../src/web/gallery/data/record-cache'
import { rowsOf } from '../../src/web/gallery/data/rows'

/** Rows of an index whose columns arrive block by block, with a fake clock. */
function openRows() {
  let now = 0
  let timers: { at: number; run: () => void }[] = []
  const after: Browser['after'] = (milliseconds, run) => {
    const timer = { at: now + milliseconds, run }
    timers.push(timer)
    return () => {
      timers = timers.filter((other) => other !== timer)
    }
  }
  const pass = (milliseconds: number) => {
    now += milliseconds
    const due = timers.filter(({ at }) => at <= now)
    timers = timers.filter(({ at }) => at > now)
    for (const { run } of due) run()
  }
  const asked: string[] = []
  const action = {
    ask: (query: Record<string, string>) => {
      asked.push(query.rows as string)
      return new Promise(() => {})
    },
  } as unknown as Action
  const resultOf = (rows: number[]) => ({ rows: Uint32Array.from(rows), total: 1000 }) as unknown as Result
  const result = signal(resultOf([]))
  const index = signal<PhotoIndex | undefined>(undefined)
  const batch = {
    index,
    keys: signal(undefined),
    generation: signal(0),
    refresh: async () => {},
  }
  const rows = rowsOf(
    { after } as Browser,
    action,
    batch,
    recordCache(() => now),
    result,
  )
  index.value = { batch: 'photos', id: 'i' } as PhotoIndex
  return { rows, pass, asked, find: (found: number[]) => (result.value = resultOf(found)) }
}

const range = (end: number) => Array.from({ length: end }, (_, row) => row)

describe('rows of the gallery', () => {
  it('are requested while further columns load, if these do not change visible rows', () => {
    const { rows, pass, asked, find } = openRows()
    find(range(200))
    rows.want(0, 40)
    for (const end of [300, 400, 500]) {
      pass(20)
      find(range(end))
    }
    expect(asked).toEqual([expect.stringMatching(/^0-/)])
    rows.close()
  })

  it('are requested after a filter change once visible rows have settled', () => {
    const { rows, pass, asked, find } = openRows()
    find(range(200))
    rows.want(0, 40)
    for (const start of [1, 2, 3]) {
      pass(20)
      find(range(200).slice(start))
    }
    expect(asked).toEqual([])
    pass(250)
    expect(asked).toEqual([expect.stringMatching(/^3-/)])
    rows.close()
  })
})
