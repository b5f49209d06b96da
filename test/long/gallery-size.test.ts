import type { Browser } from 'playwright-core'
import { openStore } from '../../src/storage/store'
import { launchChromium } from '../helpers/chromium'
import { serveAction, startStore, type TestStore, token } from '../helpers/gallery'
import { inChromium, openPage, picturesOnScreen, scrollThrough, seePictures } from '../helpers/gallery-page'
import { madeKey, makeBatch } from '../helpers/made-batch'
import { isFull } from './sizes'

/*
 * Cost of displaying a few of many records: bytes, requests and mounted nodes, which do not depend on the machine.
 * bench/gallery.ts measures times.
 */

const records = isFull ? 100_000 : 20_000

/** Uncompressed page, index directory, and 100 records with URLs: about 600 kB. A screen of thumbnails: 250 kB. */
const fixedBytes = 950_000
/** Per record, in the columns that all filters need: 6.4 measured. A whole record has 1,300. */
const bytesPerRecord = 8
/** Independent of the number of records. */
const maxNodes = 600

jest.setTimeout(300_000)

inChromium.describe(`A gallery of ${records} records`, () => {
  let store: TestStore
  let server: Awaited<ReturnType<typeof serveAction>>
  let browser: Browser

  beforeAll(async () => {
    store = await startStore()
    const made = { batch: 'made', records, thumbnails: 600, originals: 10 }
    await makeBatch(openStore(store.settings), store, made)
    server = await serveAction(store.settings)
    await store.allow(new URL(server.url).origin)
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await store?.close()
  })

  async function open() {
    const opened = await openPage(browser)
    await opened.page.goto(`${server.url}?token=${token}&batch=made`)
    const seen = async () => {
      const { bytes, requests, invocations } = opened.traffic
      return { bytes, requests, invocations: invocations.length, nodes: await opened.mounted() }
    }
    return { ...opened, seen }
  }

  it('shows its first pictures, and those of a filter, after few bytes, requests and nodes', async () => {
    const { page, complaints, seen, close } = await open()
    while ((await picturesOnScreen(page)) === 0) await page.waitForTimeout(20)
    const first = await seen()
    await seePictures(page)
    const whole = await seen()
    const row = page.locator('#labels .count-row').nth(1)
    const count = await row.locator('.number').textContent()
    await row.click()
    await page.locator('#count', { hasText: `${count} of` }).waitFor()
    await seePictures(page)
    const filtered = await seen()
    expect(complaints).toEqual([])
    process.stdout.write(`${JSON.stringify({ first, whole, filtered })}\n`)
    // Page, batches, index, first records.
    expect([whole.invocations, filtered.invocations]).toEqual([4, 5])
    expect(whole.bytes).toBeLessThan(fixedBytes + records * bytesPerRecord)
    // A block of columns covers some thousand records; a screen has about twenty thumbnails.
    expect(whole.requests).toBeLessThan(60)
    // No columns are loaded again: only a hundred records with URLs, and a screen of thumbnails.
    expect(filtered.bytes - whole.bytes).toBeLessThan(600_000)
    expect(filtered.requests - whole.requests).toBeLessThan(40)
    for (const { nodes } of [first, whole, filtered]) expect(nodes).toBeLessThan(maxNodes)
    await close()
  })

  it('moves through 500 images to the last one and back by keyboard, with few nodes', async () => {
    const { page, complaints, mounted, seen, close } = await open()
    await seePictures(page)
    const before = await seen()
    let most = 0
    await scrollThrough(page, 500, async () => {
      await page.waitForTimeout(100)
      most = Math.max(most, await mounted())
    })
    await seePictures(page)
    const scrolled = await seen()
    await page.keyboard.press('Control+End')
    const last = page.locator('[role=gridcell]:focus')
    await last.and(page.locator(`[data-position="${records - 1}"]`)).waitFor()
    await page.getByTitle(madeKey(records - 1)).waitFor()
    await page.keyboard.press('Control+Home')
    await page.locator('[data-position="0"]:focus').waitFor()
    most = Math.max(most, await mounted())
    expect(most).toBeLessThan(maxNodes)
    // A hundred records per request, one request ahead.
    expect(scrolled.invocations - before.invocations).toBeLessThanOrEqual(7)
    expect(complaints).toEqual([])
    await close()
  })
})
