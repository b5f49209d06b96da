import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Browser } from 'playwright-core'
import sharp from 'sharp'
import { launchChromium } from '../helpers/chromium'
import { type Clients, clientsOf } from '../helpers/clients'
import { dropFiles } from '../helpers/drop'
import { type GalleryPage, inChromium, openPage, seePictures } from '../helpers/gallery-page'
import { newDataDir, type RunningLocal, removeDataDir, startLocalMode } from '../helpers/local-mode'

/*
 * A new user's first session in the local mode, starting with the empty page. Everything is real; no step may lose the
 * focus.
 */

const samples = join(__dirname, '../../samples')
const photos = 21

jest.setTimeout(180_000)

/** Writes the samples and some variants. */
async function makePhotos(folder: string): Promise<string[]> {
  const names = readdirSync(samples).filter((name) => name.endsWith('.jpg'))
  const files = names.map((name) => join(samples, name))
  for (let made = 0; files.length < photos; made++) {
    const name = names[made % names.length] as string
    const changed = sharp(join(samples, name)).flop()
    const file = join(folder, `${basename(name, '.jpg')} ${made}.jpg`)
    await (made < names.length ? changed : changed.rotate(90)).jpeg({ quality: 95 }).toFile(file)
    files.push(file)
  }
  return files
}

inChromium.describe('The gallery of the local mode', () => {
  let dataDir: string
  let folder: string
  let local: RunningLocal
  let clients: Clients
  let browser: Browser
  let files: string[]
  let gallery: GalleryPage

  beforeAll(async () => {
    ;[dataDir, folder] = await Promise.all([newDataDir(), mkdtemp(join(tmpdir(), 'whisklens-photos-'))])
    files = await makePhotos(folder)
    local = await startLocalMode(dataDir)
    clients = clientsOf(local.connection)
    browser = await launchChromium()
    gallery = await openPage(browser)
    await gallery.page.goto(local.connection.gallery)
  })
  afterAll(async () => {
    await browser?.close()
    await local?.stop()
    await removeDataDir(dataDir)
    await rm(folder, { recursive: true })
  })
  afterEach(() => {
    expect(gallery.complaints).toEqual([])
  })

  const cells = () => gallery.page.locator('[role=gridcell]')
  const shows = (text: string | RegExp) => gallery.page.locator('#count', { hasText: text }).waitFor()

  it('suggests dropping photos when empty', async () => {
    const { page, faults } = gallery
    await page.getByRole('heading', { name: 'No batch yet' }).waitFor()
    await page.getByText('Drop photos anywhere on this page').waitFor()
    expect(await faults()).toEqual([])
  })

  it('uploads dropped files, and shows results as they arrive', async () => {
    const { page } = gallery
    const notes = join(folder, 'notes.txt')
    writeFileSync(notes, 'no image')
    await dropFiles(page, [...files, notes])
    await page.getByText(`${photos} photos uploaded`).waitFor()
    await page.getByText('1 file is not an image and was skipped.').waitFor()
    // The first cells appear before the batch is complete.
    await cells().first().waitFor()
    await shows(new RegExp(`^${photos} images$`))
    expect(await seePictures(page)).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await page.locator('#state', { hasText: 'Open until midnight UTC' }).waitFor()
    const keys = await clients.keys('thumbnails/')
    expect(keys).toHaveLength(photos)
  })

  it('loads less than 0.6 MB for 21 photos, much less than the originals', async () => {
    const fresh = await openPage(browser, { viewport: { width: 1280, height: 3000 } })
    await fresh.page.goto(local.connection.gallery)
    expect(await seePictures(fresh.page, photos)).toBe(photos)
    const { bytes, requests } = fresh.traffic
    const originals = files.reduce((sum, file) => sum + readFileSync(file).length, 0)
    process.stdout.write(`${JSON.stringify({ photos, bytes, requests, originals })}\n`)
    expect(bytes).toBeLessThan(600_000)
    expect(originals).toBeGreaterThan(5 * bytes)
    await fresh.close()
  })

  it.each(['light', 'dark'] as const)('looks as the documentation shows it: %s', async (colorScheme) => {
    const viewport = { width: 1280, height: 800 }
    const fresh = await openPage(browser, { viewport, colorScheme })
    await fresh.page.goto(local.connection.gallery)
    await seePictures(fresh.page)
    // `WHISKLENS_SCREENSHOTS=docs/images npm run test:long -- gallery-use` updates the documentation's screenshots.
    const screenshots = process.env.WHISKLENS_SCREENSHOTS ?? folder
    const path = join(screenshots, `gallery-${colorScheme}.png`)
    const shot = await fresh.page.screenshot()
    const { channels } = await sharp(shot).stats()
    const brightness = channels.slice(0, 3).reduce((sum, { mean }) => sum + mean / 3, 0)
    expect(brightness > 128).toBe(colorScheme === 'light')
    await sharp(shot).png({ palette: true, quality: 80 }).toFile(path)
    await fresh.close()
  })

  it('filters by a label, sorts, and keeps both in the address', async () => {
    const { page } = gallery
    const espresso = page.getByRole('button', { name: /^espresso/ })
    await espresso.click()
    expect(await espresso.getAttribute('aria-pressed')).toBe('true')
    await shows(/^\d of 21 images$/)
    for (const label of await page.locator('[role=gridcell] .label').allTextContents())
      expect(label).toBe('espresso')
    await page.getByLabel('Sort').selectOption('confidence')
    const shares = (await page.locator('[role=gridcell] .share').allTextContents()).map(Number.parseFloat)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    const { searchParams } = new URL(page.url())
    expect([searchParams.get('label'), searchParams.get('sort')]).toEqual(['espresso', 'confidence'])
    await page.reload()
    await shows(/^\d of 21 images$/)
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await shows(/^21 images$/)
  })

  it('finds images by kind and by key', async () => {
    const { page } = gallery
    const search = page.getByRole('searchbox', { name: 'Search labels, kinds and keys' })
    await search.fill('feline')
    await shows(/^[1-9] of 21 images$/)
    await search.fill('rocket')
    await shows(/^[23] of 21 images$/)
    await search.fill('')
    await shows(/^21 images$/)
  })

  it('opens a photo, moves by keyboard, and restores the focus', async () => {
    const { page, focused, faults } = gallery
    await cells().nth(1).click()
    const viewer = page.locator('dialog.viewer')
    const position = (text: string) => viewer.getByText(text, { exact: true }).waitFor()
    await position('2 of 21')
    expect(await viewer.locator('.labels li').count()).toBe(5)
    expect(await faults()).toEqual([])
    await page.keyboard.press('ArrowRight')
    await position('3 of 21')
    await page.keyboard.press('End')
    await position('21 of 21')
    await page.keyboard.press('ArrowLeft')
    await position('20 of 21')
    expect(new URL(page.url()).searchParams.get('photo')).toMatch(/^images\/photos\//)
    expect(await focused()).not.toBe('')
    await page.keyboard.press('Escape')
    await viewer.waitFor({ state: 'detached' })
    await page.locator('[role=gridcell]:focus[data-position="19"]').waitFor()
  })

  it('shows errors by code, each with its images', async () => {
    const { page } = gallery
    const broken = join(folder, 'broken.jpg')
    writeFileSync(broken, readFileSync(join(samples, 'cat.jpg')).subarray(0, 20_000))
    await dropFiles(page, [broken])
    await page.locator('#errors .count-row', { hasText: 'image_corrupt' }).click()
    await shows(/^1 of 22 images$/)
    await cells().first().click()
    await page.locator('dialog.viewer').getByText('image_corrupt').first().waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    // A batch of uploads was not fired.
    await page.locator('#totals .bad').waitFor()
    expect(await page.getByRole('button', { name: 'Retry failed' }).count()).toBe(0)
  })

  it('fires a batch, follows it to the end, and retries it', async () => {
    const { page } = gallery
    await page.getByRole('button', { name: 'Classify again' }).click()
    await page.getByLabel('Key prefix').fill('photos/')
    await page.getByRole('button', { name: 'Classify', exact: true }).click()
    await page.locator('#state', { hasText: 'Complete' }).waitFor({ timeout: 60_000 })
    await shows(/^22 images$/)
    const batch = new URL(page.url()).searchParams.get('batch') ?? ''
    expect(await clients.summaryOf(batch)).toMatchObject({ totals: { ok: 21, error: 1 } })
    await page.getByRole('button', { name: 'Retry failed' }).click()
    await page.locator('#state', { hasText: 'Complete' }).waitFor()
  })

  it('exports the filtered images', async () => {
    const { page } = gallery
    await page.getByRole('radio', { name: /^Classified/ }).check({ force: true })
    await shows(/^21 of 22 images$/)
    await page.locator('summary', { hasText: 'Export' }).click()
    await page.getByRole('link', { name: 'CSV' }).waitFor()
    await page.mouse.click(640, 20)
    await page.getByRole('link', { name: 'CSV' }).waitFor({ state: 'hidden' })
    await page.locator('summary', { hasText: 'Export' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'JSON Lines' }).click(),
    ])
    const lines = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\n')
    expect(lines).toHaveLength(21)
    expect(lines.map((line) => JSON.parse(line).status)).toEqual(lines.map(() => 'ok'))
  })
})
