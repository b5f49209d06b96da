import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Locator, Page, Route } from 'playwright-core'
import { writePart } from '../../src/batch/records/parts'
import { readSummary } from '../../src/batch/reports/summary-object'
import type { ImageRecord } from '../../src/schema'
import { openStore } from '../../src/storage/store'
import {
  colourOf,
  complaintsOf,
  contrast,
  launchChromium,
  missingForChromium,
  until as untilOn,
} from '../helpers/chromium'
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

const hostile = '<img src=x onerror=alert(1)>.jpg'
const hostileLabel = '"><script>alert(2)</script>'
const hostileMessage = `</p><svg onload=alert(3)> 'javascript:alert(4)'`
const quoted = '"quoted" & <b>bold</b>.jpg'
const total = 130
const name = (index: number): string => `photos/${String(index).padStart(4, '0')}.jpg`
const isCoffee = (index: number): boolean => index % 10 === 0

/** 130 images, every tenth a coffee; the first keys are hostile, and sort before all others by their first byte. */
const records: ImageRecord[] = [
  { ...recordOf(hostile, hostileLabel, 0.5) },
  errorOf(quoted, 'image_corrupt', hostileMessage),
  ...Array.from({ length: total - 2 }, (_, index) =>
    recordOf(name(index), isCoffee(index) ? 'espresso' : 'daisy', isCoffee(index) ? 0.4 : 0.8),
  ),
].sort((a, b) => (a.key < b.key ? -1 : 1))

const large: ImageRecord[] = Array.from({ length: 2500 }, (_, index) => ({
  ...recordOf(`large/${String(index).padStart(5, '0')}.jpg`),
  exif: { camera: 'Leica' },
}))

/** Records with different reasons why the image cannot be displayed. */
const odd: ImageRecord[] = [
  errorOf('odd/empty.png', 'image_empty', 'The object is empty'),
  recordOf('odd/gone.jpg'),
  errorOf('odd/gone.png', 'image_not_found', 'There is no such object'),
  { ...recordOf('odd/phone.heic'), format: 'heic' },
  {
    ...recordOf('odd/street.jpg'),
    labels: [],
    detections: [{ label: 'bus', probability: 0.9, box: [0.25, 0.5, 0.75, 1] }],
    exif: { position: { latitude: 52.5, longitude: 13.4 } },
  },
]

needs(missingForChromium.length > 0 && `missing ${missingForChromium.join(' and ')}`).describe(
  'the gallery page',
  () => {
    let store: TestStore
    let server: Awaited<ReturnType<typeof serveAction>>
    let browser: Browser
    let context: BrowserContext
    let page: Page
    let complaints: string[]
    /** URLs of all requests of the page. */
    let asked: URL[]

    beforeAll(async () => {
      store = await startStore()
      const photo = readFileSync(join(__dirname, '../../samples/coffee.jpg'))
      const put = (key: string) => store.images.put(key, photo, { contentType: 'image/jpeg' })
      for (const { key, status } of records) if (status === 'ok') await put(key)
      await put('odd/street.jpg')
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
      await writeClosed(store, 'odd', odd, '2026-08-01T07:29:00.000Z')
      await writeClosed(store, 'large', large, '2026-09-01T07:29:00.000Z')
      await writeClosed(store, 'taken', days, '2026-10-01T07:29:00.000Z')
      server = await serveAction(store.settings)
      await store.allow(new URL(server.url).origin)
      browser = await launchChromium()
    })

    afterAll(async () => {
      await browser?.close()
      await server?.close()
      await store?.close()
    })

    beforeEach(async () => {
      context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
      page = await context.newPage()
      complaints = complaintsOf(page)
      asked = []
      page.on('request', (request) => asked.push(new URL(request.url())))
    })

    afterEach(() => context.close())

    const cells = () => page.locator('.cell')
    const cell = (key: string) => page.getByRole('gridcell', { name: key })
    const count = () => page.locator('#count')
    const viewer = () => page.locator('dialog.viewer')
    const until = (holds: () => Promise<boolean>) => untilOn(page, holds)
    const says = (element: Locator, text: string) => until(async () => (await element.textContent()) === text)
    const waitForCount = (text: string) => says(count(), text)
    const chosen = (name: string) => new URL(page.url()).searchParams.getAll(name)
    const invocations = () => asked.filter(({ pathname }) => pathname === '/results').length
    const focused = () =>
      page.locator('html').evaluate((html) => {
        const active = html.ownerDocument.activeElement
        return active?.getAttribute('aria-label') ?? active?.getAttribute('title')
      })
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    const open = async (query = ''): Promise<void> => {
      await page.goto(`${server.url}?token=${token}${query}`)
      await cells().first().waitFor()
    }
    const isLoaded = (image: Locator) => image.evaluate((img) => img.complete && img.naturalWidth > 0)

    describe('the page', () => {
      it('shows the latest batch, its totals and labels, and each image with label, confidence and photo', async () => {
        await open()
        expect(await page.locator('.batch-name').allTextContents()).toEqual([
          'photos',
          'older',
          'taken',
          'large',
          'odd',
        ])
        expect(await page.locator('.batch[aria-current] .batch-name').textContent()).toBe('photos')
        expect(await page.locator('#totals').textContent()).toBe('Classified129Errors1')
        expect(await page.locator('#labels .name').allTextContents()).toEqual([
          'daisy',
          'espresso',
          hostileLabel,
        ])
        expect(await page.locator('#errors .name').allTextContents()).toEqual(['image_corrupt'])
        await waitForCount('130 images')
        const one = cell(name(1))
        expect(await one.locator('.label').textContent()).toBe('daisy')
        expect(await one.locator('.share').textContent()).toBe('80%')
        await until(() => isLoaded(one.locator('img')))
        expect(complaints).toEqual([])
      })

      it('escapes hostile keys, labels and messages', async () => {
        await open()
        const failed = page.getByRole('gridcell', { name: quoted, exact: false })
        await says(failed.locator('.photo'), hostileMessage)
        const one = cells().filter({ hasText: hostileLabel })
        await until(async () => (await one.getAttribute('title')) === hostile)
        await one.click()
        await says(viewer().locator('h2'), hostile)
        expect(await viewer().locator('.labels li').first().locator('span').first().textContent()).toBe(
          hostileLabel,
        )
        await press('ArrowLeft')
        await says(viewer().locator('.error-text p').first(), hostileMessage)
        await press('Escape')
        await page.locator('#labels .count-row').filter({ hasText: hostileLabel }).click()
        await waitForCount('1 of 130 images')
        expect(await page.locator('.chip').first().textContent()).toBe(hostileLabel)
        expect(chosen('label')).toEqual([hostileLabel])
        expect(await page.locator('img[src=x], script:not([type=module]), main b, dialog b').count()).toBe(0)
        expect(complaints).toEqual([])
      })

      it('contacts only the action and the store, and sends the token nowhere else', async () => {
        await open()
        await until(() => isLoaded(cell(name(1)).locator('img')))
        await page.waitForLoadState('networkidle')
        const origins = new Set([new URL(server.url).origin, store.settings.s3Endpoint])
        for (const { origin, protocol, href } of asked.filter(({ protocol }) => protocol !== 'data:')) {
          expect({ protocol, origin, known: origins.has(origin) }).toMatchObject({ known: true })
          if (origin === store.settings.s3Endpoint) expect(href).not.toContain(token)
        }
        expect(complaints).toEqual([])
      })

      it('applies labels.json, and reports errors in it', async () => {
        await store.results.put('labels.json', JSON.stringify({ rename: { tripod: 'Stativ' } }))
        await open('&batch=older')
        expect(await cells().locator('.label').textContent()).toBe('Stativ')
        expect(await page.locator('#labels .name').textContent()).toBe('Stativ')
        await store.results.put('labels.json', '{"renames": {}}')
        await page.reload()
        await page.locator('.notice').filter({ hasText: 'labels.json cannot be used' }).waitFor()
        await says(cells().locator('.label'), 'tripod')
        await store.results.delete('labels.json')
        await page.getByRole('button', { name: 'Refresh' }).click()
        await page.locator('.notice').waitFor({ state: 'hidden' })
        expect(complaints).toEqual([])
      })

      it('mounts only rows on screen, and each image once, in order, while scrolling to the end', async () => {
        await open()
        const seen = new Map<number, string>()
        for (let isEnd = false; !isEnd; ) {
          const labels = () =>
            cells().evaluateAll((all) =>
              all.map((one) => [Number(one.dataset.position), one.getAttribute('title')]),
            ) as Promise<[number, string][]>
          // Cells without a record are named by their position.
          await until(async () => (await labels()).every(([, label]) => !label.startsWith('Image ')))
          expect(await cells().count()).toBeLessThan(80)
          for (const [position, label] of await labels()) seen.set(position, label)
          isEnd = await page.locator('html').evaluate((html) => {
            const view = html.ownerDocument.defaultView
            const before = view.scrollY
            view.scrollBy({ top: view.innerHeight, behavior: 'instant' })
            return view.scrollY === before
          })
          await page.waitForTimeout(50)
        }
        expect([...seen.keys()]).toEqual(records.map((_, index) => index))
        records.forEach(({ key }, index) => {
          expect(seen.get(index)).toBe(key)
        })
        expect(complaints).toEqual([])
      })

      it('reports images that it cannot display', async () => {
        await open('&batch=odd')
        await says(cell('odd/gone.jpg').locator('.photo'), 'No preview')
        await says(cell('odd/phone.heic').locator('.photo'), 'HEIC: no preview')
        await says(cell('odd/empty.png').locator('.photo'), 'The object is empty')
        await cell('odd/gone.jpg').click()
        await viewer().locator('.stage-note').filter({ hasText: 'The original cannot be loaded' }).waitFor()
      })

      it('shows why a batch was stopped', async () => {
        await writeRunning(store, 'failed', records.slice(0, 5), total, '2026-07-01T07:29:00.000Z')
        const summary = await readSummary(store.results, 'failed')
        if (!summary) throw new Error('the summary is gone')
        await putSummary(store.results, { ...summary, state: 'stopped', reason: '<b>No</b> bucket photos' })
        await open('&batch=failed')
        await says(page.locator('#reason'), '<b>No</b> bucket photos')
        await says(page.locator('#live'), 'Up to date')
        await page.locator('.batch[data-batch=older]').click()
        await waitForCount('1 image')
        expect(await page.locator('#reason').count()).toBe(0)
      })
    })

    describe('filters', () => {
      it('find labels, kinds and keys, and keep the search in the address', async () => {
        await open()
        const search = page.getByLabel('Search labels, kinds and keys')
        await search.fill('espr')
        await waitForCount('13 of 130 images')
        expect(new Set(await cells().locator('.label').allTextContents())).toEqual(new Set(['espresso']))
        expect(chosen('search')).toEqual(['espr'])
        await page.reload()
        await waitForCount('13 of 130 images')
        expect(await search.inputValue()).toBe('espr')
        await search.fill(name(7))
        await waitForCount('1 of 130 images')
        await search.fill('zebra')
        await page.getByRole('heading', { name: 'No image matches the filters' }).waitFor()
        await page.locator('.message').getByRole('button', { name: 'Clear filters' }).click()
        await waitForCount('130 images')
        expect(complaints).toEqual([])
      })

      it('by several labels, each with a chip that removes it', async () => {
        await open()
        const row = (label: string) => page.locator('#labels .count-row').filter({ hasText: label })
        await row('espresso').click()
        await waitForCount('13 of 130 images')
        await row('script').click()
        await waitForCount('14 of 130 images')
        expect(await row('espresso').getAttribute('aria-pressed')).toBe('true')
        expect(chosen('label')).toEqual(['espresso', hostileLabel])
        await page.getByRole('button', { name: 'Remove filter: espresso' }).click()
        await waitForCount('1 of 130 images')
        await page.goBack()
        await waitForCount('14 of 130 images')
        expect(complaints).toEqual([])
      })

      it('by status and by error code', async () => {
        await open('&batch=odd')
        await page.locator('#errors .count-row').filter({ hasText: 'image_empty' }).click()
        await waitForCount('1 of 5 images')
        await cell('odd/empty.png').waitFor()
        await page.reload()
        await waitForCount('1 of 5 images')
        await page.locator('#errors .count-row').filter({ hasText: 'image_not_found' }).click()
        await cell('odd/gone.png').waitFor()
        await waitForCount('1 of 5 images')
        await page.locator('.segments').getByLabel('Classified').check({ force: true })
        await waitForCount('3 of 5 images')
      })

      it('by confidence, with sliders and number fields, and sorts by it', async () => {
        await open()
        await page.getByLabel('Maximum confidence in percent').fill('45')
        await press('Tab')
        await waitForCount('13 of 130 images')
        const least = page.getByLabel('Minimum confidence', { exact: true })
        await least.focus()
        await press('End')
        // The handle stops at the maximum.
        expect(await least.inputValue()).toBe('45')
        await page.getByRole('heading', { name: 'No image matches the filters' }).waitFor()
        await press('Home')
        await waitForCount('13 of 130 images')
        await page.locator('.chips').getByRole('button', { name: 'Clear filters' }).click()
        await page.getByLabel('Sort').selectOption('Lowest confidence first')
        await until(async () => (await cells().first().locator('.label').textContent()) === 'espresso')
        expect(chosen('sort')).toEqual(['confidence'])
        expect(complaints).toEqual([])
      })

      it('by date and camera, and shows them with an image', async () => {
        await open('&batch=taken')
        await waitForCount('3 images')
        await page.getByRole('combobox', { name: 'Camera' }).fill('canon')
        await waitForCount('2 of 3 images')
        await page.getByLabel('Taken from').fill('2026-05-02')
        await waitForCount('1 of 3 images')
        expect([chosen('camera'), chosen('takenSince')]).toEqual([['canon'], ['2026-05-02']])
        await page.reload()
        await waitForCount('1 of 3 images')
        expect(await page.getByRole('combobox', { name: 'Camera' }).inputValue()).toBe('canon')
        await cells().click()
        await viewer()
          .locator('.photo-facts')
          .filter({ hasText: /Taken.*2026.*Canon EOS R5/ })
          .waitFor()
        await press('Escape')
        await page.getByRole('combobox', { name: 'Camera' }).fill('')
        await waitForCount('2 of 3 images')
        await page.getByLabel('Taken from').fill('')
        await page.getByLabel('Taken until').fill('2026-05-01')
        await cell('taken/1.jpg').waitFor()
        await waitForCount('1 of 3 images')
      })
    })

    describe('the viewer', () => {
      it('opens by keyboard with five labels, moves, and returns the focus to the right cell', async () => {
        await open()
        await cell(name(1)).focus()
        await press('Enter')
        await says(viewer().locator('h2'), name(1))
        expect(await viewer().locator('.labels li').count()).toBe(5)
        expect(await viewer().locator('.labels').textContent()).toMatch(/^daisy80%tiger cat/)
        await until(() => isLoaded(viewer().locator('img.original')))
        await press('ArrowRight', 'ArrowRight', 'ArrowLeft')
        await says(viewer().locator('h2'), name(2))
        expect(chosen('photo')).toEqual([`images/${name(2)}`])
        await press('End')
        await says(viewer().locator('.place'), '130 of 130')
        await page.getByRole('button', { name: 'Next image' }).click({ force: true })
        await page.getByRole('button', { name: 'Previous image' }).click()
        await says(viewer().locator('.place'), '129 of 130')
        await press('Escape')
        await viewer().waitFor({ state: 'detached' })
        await until(async () => (await focused())?.startsWith(name(126)) ?? false)
        expect(chosen('photo')).toEqual([])
        expect(complaints).toEqual([])
      })

      it('follows the address after a reload and on going back', async () => {
        await open()
        await cell(name(3)).click()
        await says(viewer().locator('h2'), name(3))
        await page.reload()
        await says(viewer().locator('h2'), name(3))
        await page.goBack()
        await viewer().waitFor({ state: 'detached' })
        await page.goForward()
        await says(viewer().locator('h2'), name(3))
        expect(complaints).toEqual([])
      })

      it('leaves no history entry once it is closed, and keeps the grid’s position', async () => {
        await open()
        await page.locator('#labels .count-row').filter({ hasText: 'daisy' }).click()
        await waitForCount('115 of 130 images')
        for (const key of ['Escape', 'Escape']) {
          await cells().first().click()
          await says(viewer().locator('h2'), name(1))
          await press('End', key)
          await viewer().waitFor({ state: 'detached' })
          await until(async () => (await focused())?.startsWith(name(127)) ?? false)
          await until(async () => chosen('photo').length === 0)
          await page.waitForTimeout(300)
          const { y = 0 } = (await cell(name(127)).boundingBox()) ?? {}
          expect(y).toBeGreaterThan(0)
          expect(y).toBeLessThan(900)
          await press('Control+Home')
        }
        await page.goBack()
        await waitForCount('130 images')
        expect(complaints).toEqual([])
      })

      it('zooms with keys, wheel and buttons, and pans', async () => {
        await open()
        await cell(name(1)).click()
        const frame = viewer().locator('.frame')
        await until(() => isLoaded(viewer().locator('img.original')))
        const width = async () => (await frame.boundingBox())?.width ?? 0
        const left = async () => (await frame.boundingBox())?.x ?? 0
        const fitted = await width()
        await press('+', '+', '+')
        await until(async () => (await width()) > fitted * 3)
        const before = await left()
        await page.mouse.move(400, 400)
        await page.mouse.down()
        await page.mouse.move(500, 400)
        await page.mouse.up()
        await until(async () => Math.abs((await left()) - before - 100) < 2)
        await press('0')
        await until(async () => (await width()) === fitted)
        await page.mouse.wheel(0, -500)
        await until(async () => (await width()) > fitted)
        await page.getByRole('button', { name: 'Fit to the window' }).click()
        await until(async () => (await width()) === fitted)
        expect(complaints).toEqual([])
      })

      it('shows objects as boxes, the GPS position if there is one, and the whole record', async () => {
        await open('&batch=odd')
        await cell('odd/street.jpg').click()
        const box = viewer().locator('.box')
        await says(box, 'bus')
        // In one call: the picture may still be scaled to the window.
        const rectangles = await viewer()
          .locator('.frame')
          .evaluate((frame) =>
            [frame, frame.querySelector('.box')].map((element) => {
              const { x, y, width, height } = element.getBoundingClientRect()
              return { x, y, width, height }
            }),
          )
        const [outer, inner] = rectangles
        if (!outer || !inner) throw new Error('no boxes')
        expect(inner.x - outer.x).toBeCloseTo(outer.width / 2, 0)
        expect(inner.y - outer.y).toBeCloseTo(outer.height / 4, 0)
        expect(inner.width).toBeCloseTo(outer.width / 2, 0)
        await viewer().locator('.photo-facts').filter({ hasText: 'Position52.5, 13.4' }).waitFor()
        await viewer().locator('.record summary').click()
        const record = JSON.parse((await viewer().locator('.record pre').textContent()) ?? '')
        expect(record).toEqual(odd.at(-1))
        expect(complaints.filter((text) => !text.includes('404'))).toEqual([])
      })

      it('shows an error with what to do', async () => {
        await open('&batch=odd')
        await cell('odd/empty.png').click()
        const error = viewer().locator('.error-text')
        await says(error.locator('code'), 'image_empty')
        expect(await error.textContent()).toContain('The object is emptyUpload the image again.')
      })
    })

    describe('keyboard navigation', () => {
      it('moves, and never loses the focus while scrolling', async () => {
        await open('&batch=large')
        await cells().first().focus()
        await press('ArrowRight', 'ArrowDown', 'End')
        const at = await focused()
        await page.locator('html').evaluate((html) => html.ownerDocument.defaultView.scrollTo(0, 50_000))
        await page.waitForTimeout(300)
        expect(await focused()).toBe(at)
        await press('Control+End')
        await until(async () => (await focused())?.startsWith('large/02499.jpg') ?? false)
        await press('PageUp')
        await until(async () => /large\/024[78]/.test((await focused()) ?? ''))
      })

      it('selects single images and ranges, and exports the selection', async () => {
        await open()
        await cell(name(1)).focus()
        await press('Space')
        await page.locator('.selection').filter({ hasText: '1 selected' }).waitFor()
        await press('Shift+ArrowRight', 'Shift+ArrowRight')
        await page.locator('.selection').filter({ hasText: '3 selected' }).waitFor()
        expect(await cells().and(page.locator('[aria-selected=true]')).count()).toBe(3)
        await cell(name(9)).click({ modifiers: ['Shift'] })
        await page.locator('.selection').filter({ hasText: '9 selected' }).waitFor()
        await cell(name(4)).locator('.check').click()
        await page.locator('.selection').filter({ hasText: '8 selected' }).waitFor()
        await page.locator('.selection summary').click()
        const rows = await download(page.locator('.selection'), 'JSON Lines')
        expect(rows.map((row) => JSON.parse(row).key)).toEqual([1, 2, 3, 5, 6, 7, 8, 9].map(name))
        await cell(name(9)).focus()
        await press('Control+a')
        await page.locator('.selection').filter({ hasText: '130 selected' }).waitFor()
        await press('Escape')
        await page.locator('.selection').waitFor({ state: 'detached' })
        expect(complaints).toEqual([])
      })

      it('limits single-key shortcuts to grid and viewer, and can disable them', async () => {
        await open()
        await cells().first().focus()
        await press('?')
        const help = page.getByRole('dialog', { name: 'Keyboard' })
        await help.getByLabel('Single-key shortcuts').uncheck()
        await press('Escape')
        await help.waitFor({ state: 'detached' })
        expect(await focused()).toContain(quoted)
        await press('?', '/')
        expect(await help.count()).toBe(0)
        expect(await focused()).toContain(quoted)
        await page.reload()
        await cells().first().focus()
        await press('?')
        expect(await help.count()).toBe(0)
        await page.getByRole('button', { name: 'Keyboard' }).click()
        await help.getByLabel('Single-key shortcuts').check()
        await press('Escape')
        await cells().first().focus()
        await press('/')
        expect(await focused()).toBe('Search labels, kinds and keys')
        await press('?')
        expect(await page.locator('#search').inputValue()).toBe('?')
      })
    })

    const download = async (place: Locator, format: string): Promise<string[]> => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        place.getByRole('link', { name: format, exact: true }).click(),
      ])
      return readFileSync(await file.path(), 'utf8')
        .trimEnd()
        .split('\n')
    }

    it('downloads the filtered images as one file of any size', async () => {
      await open('&batch=large&camera=leica')
      await waitForCount('2,500 images')
      const menu = page.locator('.toolbar .menu')
      await menu.locator('summary').click()
      const rows = await download(menu, 'JSON Lines')
      expect(rows.map((row) => JSON.parse(row).key)).toEqual(large.map(({ key }) => key))
      const csv = await download(menu, 'CSV')
      expect(csv[0]).toMatch(/^\uFEFFbucket,key,/)
      expect(csv.slice(1).map((line) => line.split(',')[1])).toEqual(large.map(({ key }) => key))
    })

    it('opens another batch, and goes back', async () => {
      await open()
      await page.locator('.batch[data-batch=older]').click()
      await waitForCount('1 image')
      expect(await page.locator('#batch-title').textContent()).toBe('older')
      await page.goBack()
      await waitForCount('130 images')
      expect(await page.locator('#batch-title').textContent()).toBe('photos')
      expect(complaints).toEqual([])
    })

    describe('while a batch is running', () => {
      it('does not refresh a complete batch', async () => {
        await open()
        await says(page.locator('#live'), 'Up to date')
        await until(() => isLoaded(cell(name(1)).locator('img')))
        const before = invocations()
        await page.waitForTimeout(3000)
        expect(invocations()).toBe(before)
      })

      it('refreshes to the end of a batch, and keeps an open photo open', async () => {
        const running = await writeRunning(
          store,
          'running',
          records.slice(0, 40),
          total,
          '2026-07-01T07:29:00.000Z',
        )
        await open('&batch=running')
        await waitForCount('40 images')
        await until(async () => (await page.locator('#live').textContent())?.startsWith('Live') ?? false)
        expect(
          await page.getByRole('progressbar', { name: 'Images done' }).getAttribute('aria-valuenow'),
        ).toBe('31')
        await cell(name(3)).click()
        const image = viewer().locator('img.original')
        await until(() => isLoaded(image))
        const element = await image.elementHandle()
        await writePart(store.results, 'running', 40, records.slice(40), 'c'.repeat(32))
        await closeBatch(openStore(store.settings), store.results, running)
        await page.locator('#state').filter({ hasText: 'Complete' }).waitFor()
        await waitForCount('130 images')
        await says(page.locator('#live'), 'Up to date')
        // The same element: neither closed nor reloaded.
        expect(await image.evaluate((now, before) => now === before, element)).toBe(true)
        await says(viewer().locator('.place'), '6 of 130')
        expect(complaints).toEqual([])
      })

      it('pauses while the page is hidden', async () => {
        await writeRunning(store, 'watched', records.slice(0, 5), total, '2026-07-01T07:29:00.000Z')
        await open('&batch=watched')
        // Wait until the visible cells are rendered.
        await until(async () => (await cell(name(0)).count()) === 1)
        const setHidden = (hidden: boolean) =>
          page.locator('html').evaluate((html, value) => {
            Object.defineProperty(html.ownerDocument, 'hidden', { configurable: true, value })
            html.ownerDocument.dispatchEvent(new Event('visibilitychange'))
          }, hidden)
        await setHidden(true)
        await says(page.locator('#live'), 'Paused')
        const before = invocations()
        await page.waitForTimeout(3500)
        expect(invocations()).toBe(before)
        await setHidden(false)
        await until(async () => invocations() > before)
      })

      it('reports a failed refresh, and recovers', async () => {
        await writeRunning(store, 'shaky', records.slice(0, 5), total, '2026-07-01T07:29:00.000Z')
        await open('&batch=shaky')
        await page.route('**/results?*', (route) =>
          route.fulfill({ status: 429, json: { error: 'Too many requests', code: 'x' } }),
        )
        await page.getByRole('button', { name: 'Refresh' }).click()
        await page.locator('#live').filter({ hasText: 'Too many requests' }).waitFor()
        expect(await cells().count()).toBe(5)
        await page.unroute('**/results?*')
        await page
          .locator('#live')
          .filter({ hasText: 'Too many requests' })
          .waitFor({ state: 'hidden', timeout: 90_000 })
        expect(await cells().count()).toBe(5)
      })
    })

    describe('guidance', () => {
      it('for a wrong or expired token', async () => {
        await open()
        await cell(name(1)).waitFor()
        const withWrongToken = (route: Route) =>
          route.continue({ url: route.request().url().replace(token, 'wrong') })
        await page.route('**/results?*', withWrongToken)
        await page.getByRole('button', { name: 'Refresh' }).click()
        await says(page.locator('#live'), 'No access')
        await page.locator('.notice').filter({ hasText: '?token=' }).waitFor()
        expect(await cell(name(1)).count()).toBe(1)
        await page.unroute('**/results?*')
        await page.goto(`${server.url}?token=wrong`)
        await page.getByRole('heading', { name: 'No access' }).waitFor()
        await page.locator('.message').filter({ hasText: '?token=' }).waitFor()
      })

      it('without a batch, with commands for what the page may not do', async () => {
        await page.route('**/results?*format=json*', (route) => route.fulfill({ json: { batches: [] } }))
        await page.goto(`${server.url}?token=${token}`)
        await page.getByRole('heading', { name: 'No batch yet' }).waitFor()
        await says(page.locator('#live'), 'Up to date')
        await page
          .locator('pre')
          .filter({ hasText: 'wsk trigger fire batch-requested -p prefix photos/' })
          .waitFor()
        await page.unroute('**/results?*format=json*')
        await open('&batch=odd')
        await page.getByRole('button', { name: 'Commands' }).click()
        await page.locator('pre').filter({ hasText: 'whisklens retry odd' }).waitFor()
        const [inner, outer] = await Promise.all(
          ['.copyable', '.modal-body'].map((part) => page.locator(`dialog ${part}`).first().boundingBox()),
        )
        if (!inner || !outer) throw new Error('no dialog')
        expect(inner.x + inner.width).toBeLessThan(outer.x + outer.width)
        expect(await page.locator('input[type=file]').count()).toBe(0)
      })
    })

    it('on a phone, where batches and filters are in dialogs', async () => {
      await page.setViewportSize({ width: 360, height: 740 })
      await open()
      expect(await page.locator('html').evaluate((html) => html.scrollWidth)).toBeLessThanOrEqual(360)
      expect(await page.locator('.grid-row').first().locator('.cell').count()).toBe(3)
      await page.getByRole('button', { name: 'Filters' }).click()
      await page.locator('dialog .count-row').filter({ hasText: 'espresso' }).click()
      await page.getByRole('button', { name: 'Show 13 images' }).click()
      await waitForCount('13 of 130 images')
      await page.getByRole('button', { name: 'Choose a batch' }).click()
      await page.locator('dialog .batch[data-batch=older]').click()
      await says(page.locator('#batch-title'), 'older')
      expect(complaints).toEqual([])
    })

    it.each(['light', 'dark'] as const)('keeps text readable in the %s scheme', async (colorScheme) => {
      await page.emulateMedia({ colorScheme })
      await open('&label=espresso&label=daisy&code=')
      for (const [selector, behind] of readable) {
        const text = await colourOf(page.locator(selector).first(), 'color')
        const surface = await colourOf(page.locator(behind).first(), 'backgroundColor')
        expect({ selector, isReadable: contrast(text, surface) >= 4.5 }).toEqual({
          selector,
          isReadable: true,
        })
      }
    })
  },
)

/** Texts, and the elements with their background. */
const readable = [
  ['body', 'body'],
  ['#live', '.top'],
  ['#count', '.toolbar'],
  ['.facts summary', '.summary'],
  ['#state', '#state'],
  ['.totals .bad dd', '.summary'],
  ['.batch[aria-current] .batch-counts', '.batch[aria-current]'],
  ['.cell .share', 'body'],
  ['.segments .muted', '.segments'],
  ['.count-row[aria-pressed=true] .number', '.count-row[aria-pressed=true]'],
  ['.chip', '.chip'],
  ['.chips .quiet', '.toolbar'],
] as const
