import type { ImageRecord } from '../../src/schema'
import { type Gallery, openGallery } from '../../src/web/gallery/data/gallery'
import {
  errorOf,
  recordOf,
  serveAction,
  startStore,
  type TestStore,
  token,
  writeClosed,
} from '../helpers/gallery'
import { type TestBrowser, testBrowser } from '../helpers/gallery-browser'

const name = (index: number): string => `photos/${String(index).padStart(4, '0')}.jpg`
const photos: ImageRecord[] = Array.from({ length: 620 }, (_, index) =>
  index % 10 === 3
    ? errorOf(name(index), index % 20 === 3 ? 'image_corrupt' : 'lost', 'It is damaged')
    : recordOf(name(index), index % 4 === 0 ? 'espresso' : 'beagle', 0.3 + (index % 7) / 10),
)

describe("the gallery's data", () => {
  let store: TestStore
  let server: Awaited<ReturnType<typeof serveAction>>
  let browser: TestBrowser
  let gallery: Gallery

  beforeAll(async () => {
    store = await startStore()
    for (const { key, status } of photos.slice(0, 4))
      if (status === 'ok') await store.images.put(key, Buffer.from(`bytes of ${key}`))
    await writeClosed(store, 'photos', photos)
    await writeClosed(store, 'older', [recordOf(name(0), 'tripod')], '2026-11-01T07:29:00.000Z')
    server = await serveAction(store.settings)
  })
  afterAll(async () => {
    await server.close()
    await store.close()
  })
  afterEach(async () => {
    await browser.idle()
    gallery.close()
  })

  const open = (query = '', fragment = '') => {
    browser = testBrowser(`${server.url}?token=${token}${query}${fragment}`)
    gallery = openGallery(browser)
    return gallery
  }
  const openReady = async (query = '') => {
    open(query)
    await browser.until(() => gallery.batch.state.value.is === 'ready')
  }
  const see = async (first: number, last: number) => {
    gallery.rows.want(first, last)
    const rows = [...gallery.result.value.rows.subarray(first, last)]
    await browser.until(() => rows.every((row) => gallery.rows.record(row) !== undefined))
  }
  const shownKeys = () => [...gallery.result.value.rows].map((row) => (photos[row] as ImageRecord).key)

  it('opens the latest batch with two calls, and reads its columns from the store', async () => {
    await openReady()
    expect(gallery.batches.list.value.map(({ batch }) => batch)).toEqual(['photos', 'older'])
    expect(gallery.batches.chosen.value).toBe('photos')
    expect(new URL(browser.address()).searchParams.get('batch')).toBe('photos')
    const { rows, statuses, codes, labels } = gallery.result.value
    expect(rows).toHaveLength(620)
    expect(statuses).toEqual({ ok: 558, error: 62 })
    expect(codes).toEqual([
      { name: 'image_corrupt', count: 31 },
      { name: 'lost', count: 31 },
    ])
    expect(labels.map(({ name: label }) => label).sort()).toEqual(['beagle', 'espresso'])
    expect(browser.calls()).toHaveLength(2)
    // A closed batch is not polled.
    await browser.pass(600_000, 10_000)
    expect(browser.calls()).toHaveLength(2)
  })

  it('has records with image URLs for visible rows, and for the next ones', async () => {
    await openReady('&batch=photos')
    await see(0, 40)
    const record = gallery.rows.record(2)
    expect(record?.key).toBe(name(2))
    expect(await (await fetch(record?.url ?? '')).text()).toBe(`bytes of ${name(2)}`)
    expect(gallery.rows.record(99)?.error?.code).toBe(photos[99]?.error?.code)
    expect(gallery.rows.record(100)).toBeUndefined()
    expect(gallery.rows.cell(5)).toMatchObject({ label: 'beagle', confidence: 0.8 })
    expect(gallery.rows.cell(3)).toMatchObject({ label: undefined, code: 'image_corrupt' })
  })

  it('shows five hundred photos with six more calls', async () => {
    await openReady('&batch=photos')
    const before = browser.calls().length
    for (let first = 0; first + 40 <= 500; first += 10) await see(first, first + 40)
    expect(browser.calls().length - before).toBeLessThanOrEqual(6)
  })

  it('requests only distant rows after a jump', async () => {
    await openReady('&batch=photos')
    for (let first = 0; first < 500; first += 50) gallery.rows.want(first, first + 40)
    await see(500, 540)
    const asked = browser.calls().flatMap(({ url }) => url.searchParams.get('rows') ?? [])
    expect(asked).toEqual(['500-599'])
  })

  it('filters without a call, and keeps the filters in the address', async () => {
    await openReady('&batch=photos')
    const before = browser.calls().length
    gallery.filters.set({ code: 'lost' })
    expect(gallery.result.value.rows).toHaveLength(31)
    gallery.filters.clear()
    gallery.filters.toggleLabel('beagle')
    gallery.filters.set({ confidence: [0.8, 1], sort: '-confidence' })
    const { rows, labels } = gallery.result.value
    expect(gallery.rows.cell(rows[0] ?? 0)).toMatchObject({ label: 'beagle', confidence: 0.9 })
    expect(labels.find(({ name: label }) => label === 'espresso')?.count).toBeGreaterThan(0)
    expect(browser.calls()).toHaveLength(before)
    const { search } = new URL(browser.address())
    expect(search).toBe(`?token=${token}&batch=photos&label=beagle&min=0.8&sort=-confidence`)
    browser.back()
    expect(gallery.filters.now.value.confidence).toEqual([0, 1])
  })

  it('finds labels by kind immediately, and keys once they are loaded', async () => {
    await openReady('&batch=photos')
    gallery.filters.set({ search: 'Feline' })
    expect(gallery.result.value.rows).toHaveLength(558)
    gallery.filters.set({ search: '/0123' })
    expect(gallery.result.value).toMatchObject({ rows: new Uint32Array(0), searching: 0 })
    await browser.until(() => gallery.result.value.searching === undefined)
    expect(shownKeys()).toEqual([name(123)])
    expect(gallery.rows.cell(200).key).toBe(name(200))
  })

  it.each<[string, Parameters<Gallery['filters']['set']>[0]]>([
    ['all', {}],
    ['labels and confidence', { labels: ['beagle'], confidence: [0.4, 0.7] }],
    ['errors', { code: 'lost' }],
    ['a search', { search: '7.JPG' }],
  ])('exports filtered images: %s', async (_, filters) => {
    await openReady('&batch=photos')
    gallery.filters.set(filters)
    await browser.until(() => gallery.result.value.searching === undefined)
    expect(await exportedKeys('shown')).toEqual(shownKeys())
  })

  const exportedKeys = async (what: 'shown' | 'selected') => {
    const response = await fetch(gallery.exports.urlOf(what, 'jsonl') as string)
    expect(response.status).toBe(200)
    const lines = (await response.text()).trimEnd().split('\n')
    return lines.map((line) => (JSON.parse(line) as ImageRecord).key)
  }

  it('exports the selection, under any filter', async () => {
    await openReady('&batch=photos')
    const { selection, filters } = gallery
    selection.click(5)
    selection.click(2, { range: true })
    selection.click(300, { toggle: true })
    expect(selection.count.value).toBe(5)
    filters.set({ code: 'lost' })
    expect(selection.hidden.value).toBe(5)
    expect(await exportedKeys('selected')).toEqual([2, 3, 4, 5, 300].map(name))
    selection.clear()
    selection.all()
    expect(await exportedKeys('selected')).toEqual(shownKeys())
    expect(gallery.exports.urlOf('selected', 'csv')).toContain('code=lost')
  })

  it('moves from photo to photo, and names the open one in the address', async () => {
    await openReady('&batch=photos')
    gallery.filters.set({ code: 'lost' })
    const { viewer } = gallery
    viewer.open(gallery.result.value.rows[0] ?? -1)
    await browser.until(() => browser.address().includes('photo='))
    expect(new URL(browser.address()).searchParams.get('photo')).toBe(`images/${name(13)}`)
    viewer.move(1)
    await browser.until(() => gallery.rows.record(viewer.row.value ?? -1) !== undefined)
    expect(viewer.position.value).toBe(1)
    viewer.move(100)
    expect(viewer.position.value).toBe(30)
    browser.back()
    await browser.until(() => viewer.row.value === undefined)
    expect(gallery.filters.now.value.code).toBe('lost')
  })

  it('opens the photo in the address', async () => {
    open(`&batch=photos&photo=${encodeURIComponent(`images/${name(444)}`)}`)
    await browser.until(() => gallery.viewer.row.value === 444)
    await browser.until(() => gallery.rows.record(444) !== undefined)
  })

  it('opens another batch without the previous filters', async () => {
    await openReady('&batch=photos&code=lost&sort=taken')
    gallery.selection.all()
    gallery.batches.open('older')
    await browser.until(() => gallery.batch.summary.value?.batch === 'older')
    await browser.until(() => gallery.result.value.rows.length === 1)
    expect(gallery.filters.now.value).toMatchObject({ code: '', sort: 'taken' })
    expect(gallery.selection.count.value).toBe(0)
    browser.back()
    await browser.until(() => gallery.result.value.rows.length === 31)
  })

  it('reports a refused token', async () => {
    browser = testBrowser(`${server.url}?token=wrong`)
    gallery = openGallery(browser)
    await browser.until(() => gallery.batches.state.value.is === 'refused')
    expect(gallery.batches.state.value).toMatchObject({ problem: { code: 'unauthorized' } })
    await browser.pass(600_000, 10_000)
    expect(browser.calls()).toHaveLength(1)
  })

  it('reports a missing batch, and does not retry', async () => {
    open('&batch=gone')
    await browser.until(() => gallery.batch.state.value.is === 'failed')
    expect(gallery.batch.state.value).toMatchObject({ problem: { code: 'batch_not_found' } })
  })

  it('reports when CORS forbids reading the store', async () => {
    open('&batch=photos')
    browser.answer((url) => {
      if (!url.pathname.endsWith('index.bin')) return undefined
      throw new TypeError('Failed to fetch')
    })
    await browser.until(() => gallery.batch.state.value.is === 'failed')
    expect(gallery.batch.state.value).toMatchObject({ problem: { code: 'cors' } })
  })

  it('waits while the platform refuses calls, says so, and resumes', async () => {
    await openReady('&batch=photos')
    const tooMany = { error: 'Too many requests in the last minute (count: 61, allowed: 60).', code: 'x' }
    browser.answer((url) =>
      url.searchParams.has('rows') ? Response.json(tooMany, { status: 429 }) : undefined,
    )
    gallery.rows.want(0, 40)
    await browser.until(() => gallery.rows.problem.value !== undefined)
    expect(gallery.rows.problem.value).toMatchObject({ code: 'throttled' })
    browser.answer(undefined)
    const before = browser.calls().length
    browser.advance(5000)
    expect(browser.calls()).toHaveLength(before)
    await browser.until(() => gallery.rows.record(0) !== undefined, 1000)
    expect(gallery.rows.problem.value).toBeUndefined()
  })
})

describe('the batch that the gallery opens first', () => {
  it('is the newest with records, and the newest while none has any', async () => {
    const store = await startStore()
    const server = await serveAction(store.settings)
    const chosen = async () => {
      const browser = testBrowser(`${server.url}?token=${token}`)
      const gallery = openGallery(browser)
      await browser.until(() => gallery.batches.state.value.is === 'ready')
      await browser.idle()
      gallery.close()
      return gallery.batches.chosen.value
    }
    try {
      await writeClosed(store, 'skipped', [], '2026-11-23T07:29:00.000Z')
      await writeClosed(store, 'older', [], '2026-11-20T07:29:00.000Z')
      expect(await chosen()).toBe('skipped')
      await writeClosed(store, 'labelled', [recordOf(name(0))], '2026-11-22T07:29:00.000Z')
      expect(await chosen()).toBe('labelled')
    } finally {
      await server.close()
      await store.close()
    }
  })
})
