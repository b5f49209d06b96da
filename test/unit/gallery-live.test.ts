import { writePart } from '../../src/batch/records/parts'
import { readSummary } from '../../src/batch/reports/summary-object'
import { openIndexPrefix } from '../../src/batch/state/layout'
import type { ImageRecord } from '../../src/schema'
import { openStore } from '../../src/storage/store'
import { type Gallery, openGallery } from '../../src/web/gallery/data/gallery'
import {
  recordOf,
  serveAction,
  startStore,
  type TestStore,
  token,
  writeClosed,
  writeRunning,
} from '../helpers/gallery'
import { type TestBrowser, testBrowser } from '../helpers/gallery-browser'
import { closeBatch, collect, putSummary } from './batch-fixtures'

const name = (index: number): string => `photos/${String(index).padStart(4, '0')}.jpg`
const photos: ImageRecord[] = Array.from({ length: 600 }, (_, index) => recordOf(name(index), 'beagle', 0.5))
/** Number of images that are classified last although their keys sort first. */
const late = 300

describe('the gallery while a batch is running', () => {
  let store: TestStore
  let server: Awaited<ReturnType<typeof serveAction>>
  let browser: TestBrowser
  let gallery: Gallery

  beforeEach(async () => {
    store = await startStore()
    server = await serveAction(store.settings)
  })
  afterEach(async () => {
    await browser.idle()
    gallery.close()
    await server.close()
    await store.close()
  })

  const open = (query = '', fragment = '') => {
    browser = testBrowser(`${server.url}?token=${token}${query}${fragment}`)
    gallery = openGallery(browser)
  }
  const write = (from: number, to: number) =>
    writePart(store.results, 'running', from, photos.slice(from, to), 'b'.repeat(32))
  const begin = async () => {
    await writeRunning(store, 'running', [], photos.length)
    await write(late, photos.length)
  }
  const finish = () => write(0, late)
  const openRunning = async () => {
    await begin()
    open()
    await browser.until(() => gallery.batch.state.value.is === 'ready')
    gallery.rows.want(0, 40)
    await browser.until(() => gallery.rows.record(0) !== undefined)
  }
  const isWhole = () => gallery.result.value.rows.length === photos.length

  it('makes at most twenty calls in ten minutes of ordinary use, whenever users scroll', async () => {
    await begin()
    let done = 0
    for (const minute of [0, 5, 9]) {
      open()
      await browser.until(() => gallery.batch.state.value.is === 'ready')
      for (let now = 0; now < 10; now++) {
        if (now === minute) {
          for (let first = 0; first + 40 <= 300; first += 20) {
            gallery.rows.want(first, first + 40)
            await browser.pass(1000, 500)
          }
          gallery.filters.set({ sort: '-confidence', confidence: [0.1, 1] })
          await browser.pass(1000, 500)
        }
        // The new record is in view.
        await write(done, ++done)
        await browser.pass(60_000, 2000)
      }
      // Plus one for the page itself.
      expect(browser.calls().length + 1).toBeLessThanOrEqual(20)
      expect(browser.calls().length).toBeGreaterThan(8)
      await browser.idle()
      gallery.close()
    }
  })

  it('shows the results of a small batch with the first refresh after they exist', async () => {
    await writeRunning(store, 'running', [], 8)
    open()
    await browser.until(() => gallery.batch.state.value.is === 'empty')
    await writeClosed(store, 'running', photos.slice(0, 8))
    const before = browser.calls().length
    await browser.until(() => gallery.result.value.rows.length === 8)
    expect(browser.calls().length - before).toBeLessThanOrEqual(2)
    await browser.until(() => !gallery.batch.live.value.isOpen)
    expect(gallery.batch.live.value.nextAt).toBeUndefined()
  })

  it('reports the time of the next refresh, and that it waits for the budget', async () => {
    await openRunning()
    expect(gallery.batch.live.value.isOpen).toBe(true)
    expect(gallery.batch.live.value.nextAt).toBeGreaterThan(browser.now() - 1)
    await browser.until(() => gallery.batch.live.value.waitsFor === 'budget', 1000)
    expect((gallery.batch.live.value.nextAt ?? 0) - browser.now()).toBeLessThanOrEqual(100_000)
  })

  it('does not refresh while the page is hidden', async () => {
    await openRunning()
    browser.hide(true)
    await browser.pass(300_000, 5000)
    const before = browser.calls().length
    await browser.pass(300_000, 5000)
    expect(browser.calls()).toHaveLength(before)
    expect(gallery.batch.live.value.waitsFor).toBe('hidden')
    browser.hide(false)
    await browser.until(() => browser.calls().length > before)
  })

  it('keeps selection, open photo, focus and scroll position when rows are renumbered', async () => {
    await openRunning()
    const { selection, viewer, rows } = gallery
    selection.click(3)
    selection.click(200, { toggle: true })
    viewer.open(7)
    rows.top.value = 20
    rows.focused.value = 21
    await browser.until(() => gallery.rows.cell(200).key !== undefined)
    const calls = browser.calls().length
    await finish()
    await browser.until(isWhole, 1000)
    const keyOf = (row = -1) => rows.cell(row).key
    expect(rows.generation.value).toBeGreaterThan(0)
    expect(photos.flatMap((_, row) => (selection.has(row) ? [row] : []))).toEqual([late + 3, late + 200])
    expect(keyOf(viewer.row.value)).toBe(name(late + 7))
    expect(keyOf(rows.top.value)).toBe(name(late + 20))
    expect(keyOf(rows.focused.value)).toBe(name(late + 21))
    // Downloaded records are not requested again.
    expect(rows.record(late)).toMatchObject({ row: late, key: name(late) })
    expect(rows.record(0)).toBeUndefined()
    rows.want(late, late + 40)
    await browser.pass(2000)
    const asked = browser.calls().slice(calls)
    expect(asked.some(({ url }) => url.searchParams.get('rows')?.startsWith(`${late}`))).toBe(false)
  })

  it('keeps the selection while the keys of a new index are loading', async () => {
    await openRunning()
    const { selection } = gallery
    selection.click(3)
    await browser.until(() => gallery.rows.cell(250).key !== undefined)
    await finish()
    let reads = 0
    browser.answer((url) => {
      // The second read is that of the keys; columns come first.
      if (url.pathname.includes('/running/exports/') && ++reads === 2) selection.click(250, { toggle: true })
      return undefined
    })
    await browser.until(isWhole, 1000)
    expect(reads).toBeGreaterThan(1)
    expect(photos.flatMap((_, row) => (selection.has(row) ? [row] : []))).toEqual([late + 3, late + 250])
  })

  it('follows an ended batch that is retried, before it has started', async () => {
    const running = await writeRunning(store, 'running', photos.slice(0, 4), 8)
    const summary = await readSummary(store.results, 'running')
    if (!summary) throw new Error('the summary is gone')
    await putSummary(store.results, { ...summary, state: 'cancelled' })
    open('', '#owner=secret')
    await browser.until(() => gallery.batch.summary.value?.state === 'cancelled')
    browser.answer(({ pathname }) =>
      pathname.endsWith('/retry') ? Response.json({ batch: 'running' }, { status: 202 }) : undefined,
    )
    await gallery.local?.retryErrors()
    expect(gallery.batch.summary.value?.state).toBe('cancelled')
    await writePart(store.results, 'running', 4, photos.slice(4, 8), 'c'.repeat(32))
    await closeBatch(openStore(store.settings), store.results, running)
    await browser.until(() => gallery.result.value.rows.length === 8)
    await browser.until(() => !gallery.batch.live.value.isOpen, 1000)
  })

  it('reloads the index if its rows are those of another one', async () => {
    await openRunning()
    browser.hide(true)
    await write(0, 4)
    const indexes = await collect(store.results.list({ prefix: openIndexPrefix('running') }))
    await store.results.deleteAll(indexes.map(({ key }) => key))
    gallery.rows.want(200, 240)
    await browser.until(() => gallery.result.value.rows.length === 304)
    await browser.until(() => gallery.rows.record(gallery.result.value.rows[200] ?? -1) !== undefined)
    expect(gallery.rows.record(201)?.key).toBe(name(late - 4 + 201))
    expect(gallery.rows.problem.value).toBeUndefined()
  })

  it('detects that the index file was replaced while being read', async () => {
    await writeClosed(store, 'photos', photos)
    open()
    let isFirst = true
    browser.answer((url) => {
      if (!url.pathname.endsWith('index.bin') || !isFirst) return undefined
      isFirst = false
      return new Response('', { status: 412 })
    })
    await browser.until(isWhole)
    expect(browser.calls()).toHaveLength(3)
  })

  it('keeps its data when a refresh fails, says so, and continues', async () => {
    await openRunning()
    browser.answer((url) =>
      url.searchParams.get('format') === 'index'
        ? Response.json({ error: { code: 'store_failed', message: 'The store is away' } }, { status: 502 })
        : undefined,
    )
    await browser.until(() => gallery.batch.live.value.problem !== undefined, 1000)
    expect(gallery.batch.live.value.problem).toMatchObject({ code: 'store_failed' })
    expect(gallery.batch.state.value.is).toBe('ready')
    browser.answer(undefined)
    await finish()
    await browser.until(isWhole, 1000)
    expect(gallery.batch.live.value.problem).toBeUndefined()
  })

  it('waits for the first batch, and opens it', async () => {
    open()
    await browser.until(() => gallery.batches.state.value.is === 'empty')
    await writeClosed(store, 'photos', photos)
    await browser.until(isWhole)
    expect(gallery.batches.state.value.is).toBe('ready')
  })

  it('shows a batch without results', async () => {
    await writeRunning(store, 'running', [], 8)
    open()
    await browser.until(() => gallery.batch.state.value.is === 'empty')
    expect(gallery.batch.live.value.isOpen).toBe(true)
    await write(0, 2)
    await browser.until(() => gallery.result.value.rows.length === 2)
    expect(gallery.batch.state.value.is).toBe('ready')
  })
})
