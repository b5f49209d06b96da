import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { writePart } from '../../src/batch/records/parts'
import { readSummary } from '../../src/batch/reports/summary-object'
import type { ImageRecord } from '../../src/schema'
import { openStore } from '../../src/storage/store'
import {
  errorOf,
  recordOf,
  serveAction,
  startStore,
  type TestStore,
  token,
  writeClosed,
  writeRunning,
} from '../helpers/gallery'
import { needs } from '../helpers/needs'
import { closeBatch, putSummary } from '../unit/batch-fixtures'

const chromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const missing = [
  !existsSync(chromium) && `${chromium} (apt-get install chromium, or set CHROMIUM_PATH)`,
  !existsSync(join(__dirname, '../../node_modules/playwright-core')) && 'the package playwright-core',
].filter(Boolean)

const hostile = '<img src=x onerror=alert(1)>.jpg'
const hostileLabel = '"><script>alert(2)</script>'
const hostileMessage = `</p><svg onload=alert(3)> 'javascript:alert(4)'`
const total = 130
const name = (index: number): string => `photos/${String(index).padStart(4, '0')}.jpg`
const isCoffee = (index: number): boolean => index % 10 === 0

/** 130 images, every tenth a coffee; the first keys are hostile, sorted before all others by their first byte. */
const records: ImageRecord[] = [
  { ...recordOf(hostile, hostileLabel, 0.5) },
  errorOf('"quoted" & <b>bold</b>.jpg', 'image_corrupt', hostileMessage),
  ...Array.from({ length: total - 2 }, (_, index) =>
    recordOf(name(index), isCoffee(index) ? 'espresso' : 'daisy', 0.8),
  ),
].sort((a, b) => (a.key < b.key ? -1 : 1))

const large: ImageRecord[] = Array.from({ length: 2500 }, (_, index) => ({
  ...recordOf(`large/${String(index).padStart(5, '0')}.jpg`),
  exif: { camera: 'Leica' },
}))

needs(missing.length > 0 && `missing ${missing.join(' and ')}`).describe('the gallery page', () => {
  let store: TestStore
  let server: Awaited<ReturnType<typeof serveAction>>
  let browser: Browser
  let context: BrowserContext
  let page: Page
  /** What the browser complained about: console errors, violations of the policy, uncaught errors, dialogs. */
  let complaints: string[]
  /** Addresses of everything the page asked for. */
  let asked: URL[]

  beforeAll(async () => {
    store = await startStore()
    const photo = readFileSync(join(__dirname, '../../samples/coffee.jpg'))
    for (const { key, status } of records)
      if (status === 'ok') await store.images.put(key, photo, { contentType: 'image/jpeg' })
    await writeClosed(store, 'photos', records)
    await writeClosed(store, 'older', [recordOf(name(0), 'tripod')], '2026-11-01T07:29:00.000Z')
    const taken = (index: number, takenAt: string, camera: string): ImageRecord => ({
      ...recordOf(`taken/${index}.jpg`),
      exif: { takenAt, camera },
    })
    const days = [
      taken(1, '2026-05-01T23:59:59', 'Canon EOS R5'),
      taken(2, '2026-05-02T10:11:12', 'Canon EOS R5'),
      taken(3, '2026-05-03T10:11:12', 'Apple iPhone 15'),
    ]
    await writeClosed(store, 'large', large, '2026-09-01T07:29:00.000Z')
    await writeClosed(store, 'taken', days, '2026-10-01T07:29:00.000Z')
    server = await serveAction(store.settings)
    const { chromium: launcher } = await import('playwright-core')
    browser = await launcher.launch({
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-sync',
      ],
    })
  })

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await store?.close()
  })

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    page = await context.newPage()
    complaints = []
    asked = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (thrown) => complaints.push(String(thrown)))
    page.on('dialog', async (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      await dialog.dismiss()
    })
    page.on('request', (request) => asked.push(new URL(request.url())))
  })

  afterEach(() => context.close())

  const open = async (query = ''): Promise<void> => {
    await page.goto(`${server.url}?token=${token}${query}`)
    await page.locator('.card').first().waitFor()
  }
  const cards = () => page.locator('.card')
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + 15_000; !(await holds()); await page.waitForTimeout(50)) {
      if (Date.now() > end) throw new Error('waited too long')
    }
  }
  const waitForCards = (number: number) => until(async () => (await cards().count()) === number)
  const dataRequests = () => asked.filter(({ searchParams }) => searchParams.get('format') === 'json').length

  it('shows the newest batch, its totals and labels, and a card with a photo for each image', async () => {
    await open()
    expect(await page.locator('.batch .name').allTextContents()).toEqual([
      'photos',
      'older',
      'taken',
      'large',
    ])
    expect(await page.locator('.batch[aria-current] .name').textContent()).toBe('photos')
    expect(await page.locator('#totals').textContent()).toBe('Classified129Errors1')
    expect(await page.locator('#labels .name').allTextContents()).toEqual(['daisy', 'espresso', hostileLabel])
    expect(await page.locator('#errors .name').allTextContents()).toEqual(['image_corrupt'])
    expect(await page.locator('#count').textContent()).toBe('Showing 60 of 130 images')
    const card = cards().filter({ hasText: name(1) })
    expect(await card.locator('.label').textContent()).toBe('daisy')
    expect(await card.locator('.share').textContent()).toBe('80 %')
    const photo = card.locator('img')
    expect(await photo.getAttribute('alt')).toBe(name(1))
    await photo.scrollIntoViewIfNeeded()
    await until(() => photo.evaluate((image) => image.complete && image.naturalWidth > 0))
    expect(complaints).toEqual([])
  })

  it('shows hostile keys, labels and messages as the text they are', async () => {
    await open()
    expect(await cards().first().locator('.key').textContent()).toBe('"quoted" & <b>bold</b>.jpg')
    expect(await cards().first().locator('.brief').textContent()).toBe(hostileMessage)
    const card = cards().filter({ hasText: hostile })
    expect(await card.locator('.key').textContent()).toBe(hostile)
    expect(await card.locator('.label').textContent()).toBe(hostileLabel)
    expect(await card.locator('img').getAttribute('alt')).toBe(hostile)
    expect(await page.locator('img[src=x], script:not([type=module]), .card b, .card p svg').count()).toBe(0)
    await page.locator('#labels .bar').filter({ hasText: hostileLabel }).click()
    await waitForCards(1)
    expect(await page.locator('input[name=label]').inputValue()).toBe(hostileLabel)
    expect(complaints).toEqual([])
  })

  it('asks nobody but the action and the store, and puts the token into no other address', async () => {
    await open()
    await page.locator('img').first().scrollIntoViewIfNeeded()
    await page.waitForLoadState('networkidle')
    const origins = new Set([new URL(server.url).origin, store.settings.s3Endpoint])
    for (const { origin, protocol, href } of asked.filter(({ protocol }) => protocol !== 'data:')) {
      expect({ protocol, origin, known: origins.has(origin) }).toMatchObject({ known: true })
      if (origin === store.settings.s3Endpoint) expect(href).not.toContain(token)
    }
    expect(complaints).toEqual([])
  })

  it('opens a card to its five labels by keyboard', async () => {
    await open()
    const card = cards().filter({ hasText: name(1) })
    expect(await card.locator('.labels').isVisible()).toBe(false)
    await card.locator('summary').focus()
    await page.keyboard.press('Enter')
    expect(await card.locator('.labels li').count()).toBe(5)
    expect(await card.locator('.labels').textContent()).toMatch(/^daisy80 %tiger cat/)
  })

  it('filters by label and by status, and keeps the filter in the address', async () => {
    await open()
    await page.getByLabel('Label contains').fill('espr')
    await waitForCards(13)
    expect(new Set(await page.locator('.card .label').allTextContents())).toEqual(new Set(['espresso']))
    expect(await page.locator('#count').textContent()).toBe('Showing 13 matching images')
    expect(new URL(page.url()).searchParams.get('label')).toBe('espr')
    await page.reload()
    await waitForCards(13)
    await page.getByLabel('Label contains').fill('zebra')
    await waitForCards(0)
    expect(await page.locator('#none').textContent()).toBe('No image matches the filter.')
    await page.getByLabel('Label contains').fill('')
    await page.getByLabel('Errors', { exact: true }).check({ force: true })
    await waitForCards(1)
    expect(await cards().locator('.label').textContent()).toContain('image_corrupt')
    expect(complaints).toEqual([])
  })

  it('filters by date and camera, and shows them with an image', async () => {
    await open('&batch=taken')
    await waitForCards(3)
    await page.locator('#photo summary').click()
    await page.getByLabel('Camera').fill('canon')
    await waitForCards(2)
    await page.getByLabel('Taken from').fill('2026-05-02')
    await waitForCards(1)
    expect(await page.locator('#count').textContent()).toBe('Showing 1 matching image')
    const { searchParams } = new URL(page.url())
    expect([searchParams.get('camera'), searchParams.get('takenSince')]).toEqual(['canon', '2026-05-02'])
    await page.reload()
    await waitForCards(1)
    expect(await page.getByLabel('Camera').inputValue()).toBe('canon')
    await cards().locator('summary').click()
    expect(await cards().locator('.about').textContent()).toMatch(/taken .*2026.* · Canon EOS R5/)
    await page.getByLabel('Camera').fill('')
    await page.getByLabel('Taken from').fill('')
    await page.getByLabel('until').fill('2026-05-01')
    await until(async () => (await cards().locator('.key').allTextContents()).join() === 'taken/1.jpg')
    expect(complaints).toEqual([])
  })

  it('shows labels by labels.json, and what is wrong with it', async () => {
    await store.results.put('labels.json', JSON.stringify({ rename: { tripod: 'Stativ' } }))
    await open('&batch=older')
    expect(await cards().locator('.label').textContent()).toBe('Stativ')
    expect(await page.locator('#labels .name').textContent()).toBe('Stativ')
    await store.results.put('labels.json', '{"renames": {}}')
    await page.reload()
    await page.locator('#notice').filter({ hasText: 'labels.json cannot be used' }).waitFor()
    await waitForCards(1)
    expect(await cards().locator('.label').textContent()).toBe('tripod')
    await store.results.delete('labels.json')
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.locator('#notice').waitFor({ state: 'hidden' })
    expect(complaints).toEqual([])
  })

  it('downloads all that is chosen as one file, however large it is', async () => {
    const download = async (name: string): Promise<string[]> => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name, exact: true }).click(),
      ])
      return readFileSync(await file.path(), 'utf8')
        .trimEnd()
        .split('\n')
    }
    await open('&batch=large&camera=leica')
    const rows = await download('JSON Lines')
    expect(rows.map((row) => JSON.parse(row).key)).toEqual(large.map(({ key }) => key))
    const csv = await download('CSV')
    expect(csv[0]).toMatch(/^\uFEFFbucket,key,/)
    expect(csv.slice(1).map((line) => line.split(',')[1])).toEqual(large.map(({ key }) => key))
    expect(complaints).toEqual([])
  })

  it('loads more until each image is there once, in order', async () => {
    await open()
    const more = page.getByRole('button', { name: 'Load more' })
    await more.click()
    await waitForCards(120)
    await more.click()
    await waitForCards(total)
    expect(await more.isVisible()).toBe(false)
    expect(await page.locator('.card .key').allTextContents()).toEqual(records.map(({ key }) => key))
    expect(complaints).toEqual([])
  })

  it('goes on by itself where an answer ends before it is full', async () => {
    let cut = 0
    // As answers are where a label is so rare that much is looked through for a few images.
    await page.route('**/results?*', async (route) => {
      const url = new URL(route.request().url())
      const limit = Number(url.searchParams.get('limit'))
      if (limit > 7) {
        url.searchParams.set('limit', '7')
        cut++
      }
      await route.continue({ url: url.href })
    })
    await open()
    await waitForCards(60)
    expect(cut).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'Load more' }).click()
    await waitForCards(120)
    expect(await page.locator('.card .key').allTextContents()).toEqual(
      records.slice(0, 120).map(({ key }) => key),
    )
    expect(complaints).toEqual([])
  })

  it('says why a batch was stopped', async () => {
    await writeRunning(store, 'failed', records.slice(0, 5), total)
    const summary = await readSummary(store.results, 'failed')
    if (!summary) throw new Error('the summary is gone')
    await putSummary(store.results, { ...summary, state: 'stopped', reason: '<b>No</b> bucket photos' })
    await open('&batch=failed')
    expect(await page.locator('#reason').textContent()).toBe('<b>No</b> bucket photos')
    await page.locator('#live').filter({ hasText: 'Up to date' }).waitFor()
    await page.locator('.batch').filter({ hasText: 'older' }).click()
    await waitForCards(1)
    expect(await page.locator('#reason').textContent()).toBe('')
  })

  it('goes to another batch and back', async () => {
    await open()
    await page.locator('.batch').filter({ hasText: 'older' }).click()
    await waitForCards(1)
    expect(await page.locator('#batch-title').textContent()).toBe('older')
    await page.goBack()
    await waitForCards(60)
    expect(await page.locator('#batch-title').textContent()).toBe('photos')
  })

  it('does not ask again once a batch is complete', async () => {
    await open()
    expect(await page.locator('#live').textContent()).toBe('Up to date')
    const before = dataRequests()
    await page.waitForTimeout(3000)
    expect(dataRequests()).toBe(before)
  })

  it('follows a running batch to its end, and leaves open what is open', async () => {
    const running = await writeRunning(store, 'running', records.slice(0, 40), total)
    await open('&batch=running')
    await waitForCards(40)
    expect(await page.locator('#live').textContent()).toBe('Live')
    const card = cards().filter({ hasText: name(3) })
    await card.locator('summary').click()
    const address = await card.locator('img').getAttribute('src')
    await writePart(store.results, 'running', 40, records.slice(40), 'c'.repeat(32))
    await waitForCards(60)
    await closeBatch(openStore(store.settings), store.results, running)
    await page.locator('#state').filter({ hasText: 'Complete' }).waitFor()
    // The list is asked for in between.
    await page.locator('#live').filter({ hasText: 'Up to date' }).waitFor()
    expect(await card.locator('.labels').isVisible()).toBe(true)
    // The very same element: neither closed nor loaded again.
    expect(await card.locator('img').getAttribute('src')).toBe(address)
    expect(complaints).toEqual([])
  })

  it('rests while nobody looks', async () => {
    await writeRunning(store, 'watched', records.slice(0, 5), total)
    await open('&batch=watched')
    const setHidden = (hidden: boolean) =>
      page.locator('html').evaluate((html, value) => {
        Object.defineProperty(html.ownerDocument, 'hidden', { configurable: true, value })
        html.ownerDocument.dispatchEvent(new Event('visibilitychange'))
      }, hidden)
    await setHidden(true)
    const before = dataRequests()
    await page.waitForTimeout(3500)
    expect(dataRequests()).toBe(before)
    await setHidden(false)
    await page.waitForTimeout(500)
    expect(dataRequests()).toBeGreaterThan(before)
  })

  it('says when it cannot refresh, and recovers', async () => {
    await writeRunning(store, 'shaky', records.slice(0, 5), total)
    await open('&batch=shaky')
    await page.route('**/results?*', (route) =>
      route.fulfill({ status: 429, json: { error: 'Too many requests', code: 'x' } }),
    )
    await page.locator('#notice').filter({ hasText: 'Too many requests' }).waitFor()
    expect(await page.locator('#live').textContent()).toBe('Not up to date')
    expect(await cards().count()).toBe(5)
    await page.unroute('**/results?*')
    await page.locator('#notice').waitFor({ state: 'hidden', timeout: 15_000 })
    expect(await page.locator('#live').textContent()).toBe('Live')
  })

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await open()
    expect(await page.locator('html').evaluate((html) => html.scrollWidth)).toBe(360)
    expect(complaints).toEqual([])
  })

  it.each(['light', 'dark'] as const)('keeps text readable in the %s scheme', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await open()
    for (const [selector, behind] of readable) {
      const text = await colourOf(page.locator(selector).first(), 'color')
      const surface = await colourOf(page.locator(behind).first(), 'backgroundColor')
      expect({ selector, isReadable: contrast(text, surface) >= 4.5 }).toEqual({ selector, isReadable: true })
    }
  })
})

/** Texts, and what is behind them. */
const readable = [
  ['body', 'body'],
  ['#live', 'body'],
  ['#count', 'body'],
  ['#facts', '.overview'],
  ['#state', '#state'],
  ['.totals .bad dd', '.overview'],
  ['.card .key', '.card'],
  ['.card .share', '.card'],
  ['.card.error .label', '.card'],
  ['.thumb .brief', '.thumb.failed'],
  ['.more', '.more'],
  ['.segments span', '.segments'],
] as const

const colourOf = (element: Locator, property: 'color' | 'backgroundColor'): Promise<string> =>
  element.evaluate((node, name) => node.ownerDocument.defaultView.getComputedStyle(node)[name], property)

/** Contrast of two colours `rgb(r, g, b)`, after WCAG 2. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
      const value = Number(part) / 255
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}
