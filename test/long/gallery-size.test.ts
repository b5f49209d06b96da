import type { Browser } from 'playwright-core'
import { openStore } from '../../src/storage/store'
import { serveAction, startStore, type TestStore, token } from '../helpers/gallery'
import { inChromium, launchChromium, openPage, picturesOnScreen, seePictures } from '../helpers/gallery-page'
import { madeKey, makeBatch } from '../helpers/made-batch'

/*
 * How much of 100,000 records a page needs to show some: bytes, requests and mounted nodes, which do not depend on the machine.
 * bench/gallery.ts measures times.
 */

const records = 100_000
const kB = 1000

jest.setTimeout(300_000)

inChromium.describe('A gallery of 100,000 records', () => {
  let store: TestStore
  let server: Awaited<ReturnType<typeof serveAction>>
  let browser: Browser

  beforeAll(async () => {
    store = await startStore()
    const made = { batch: 'made', records, thumbnails: 600, originals: 10 }
    await makeBatch(openStore(store.settings), store, made)
    server = await serveAction(store.settings)
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await store?.close()
  })

  it('shows its first pictures, and those of a filter, after few bytes, requests and nodes', async () => {
    const { page, traffic, complaints, mounted, close } = await openPage(browser)
    await page.goto(`${server.url}?token=${token}&batch=made`)
    while ((await picturesOnScreen(page)) === 0) await page.waitForTimeout(20)
    const first = { bytes: traffic.bytes, requests: traffic.requests, nodes: await mounted() }
    await seePictures(page)
    const screen = {
      bytes: traffic.bytes,
      requests: traffic.requests,
      invocations: traffic.invocations.length,
    }
    await page.locator('#labels .count-row').nth(1).click()
    await page
      .getByText(/^[\d,]+ of 100,000 images$/)
      .first()
      .waitFor()
    await seePictures(page)
    const filtered = {
      bytes: traffic.bytes,
      requests: traffic.requests,
      invocations: traffic.invocations.length,
      nodes: await mounted(),
    }
    console.log({ first, screen, filtered })
    expect(complaints).toEqual([])
    await close()
  })

  it('can be scrolled to its last image, with as few nodes', async () => {
    const { page, complaints, mounted, traffic, close } = await openPage(browser)
    await page.goto(`${server.url}?token=${token}&batch=made`)
    await seePictures(page)
    const cells = page.locator('[role=gridcell]')
    await cells.first().focus()
    const before = traffic.bytes
    await page.keyboard.press('Control+End')
    const last = page.locator(`[aria-label^="${madeKey(records - 1)}"]`)
    await last.waitFor()
    console.log(traffic.bytes - before, await mounted(), await cells.count())
    expect(complaints).toEqual([])
    await close()
  })
})
