import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'

/** What was seen of a page, milliseconds and bytes. */
export interface Seen {
  firstPaint: number
  firstPicture: number
  /** Over the network until the first picture, and in all. */
  bytesToPicture: number
  requestsToPicture: number
  bytes: number
  /** The longest task of the page's thread while 500 photos are scrolled. */
  scrolling: number
  filtering: number
  /** From the filter to its pictures. */
  filtered: number
}

/** How a gallery is used. */
export interface Gallery {
  /** Shows 500 photos, one screen after another. */
  scroll(page: Page): Promise<void>
  /** Filters by a label, and waits until the filtered photos are there. */
  filter(page: Page): Promise<void>
}

/** What in-page.js notes. */
interface Noted {
  seen: { picture: number; tasks: number[] }
}

export async function measure(browser: Browser, url: string, gallery: Gallery): Promise<Seen> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  try {
    const page = await context.newPage()
    const network = { bytes: 0, requests: 0 }
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      network.bytes += encodedDataLength
      network.requests++
    })
    await page.addInitScript({ path: join(__dirname, 'in-page.js') })
    await page.goto(url)
    const noted = () => page.evaluate(() => (globalThis as unknown as Noted).seen)
    /** The longest task while something is done; 50 ms where none is longer, which browsers do not tell. */
    const longest = async (work: () => Promise<void>): Promise<number> => {
      const before = (await noted()).tasks.length
      await work()
      // Long tasks are told a moment later.
      await page.waitForTimeout(200)
      return Math.max(50, ...(await noted()).tasks.slice(before))
    }
    // The policy of the page keeps Playwright's own way to wait for a value from working.
    while ((await noted()).picture === 0) await page.waitForTimeout(20)
    const [bytesToPicture, requestsToPicture] = [network.bytes, network.requests]
    const firstPaint = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    )
    const firstPicture = (await noted()).picture
    const scrolling = await longest(() => gallery.scroll(page))
    let filtered = 0
    const filtering = await longest(async () => {
      const start = performance.now()
      await gallery.filter(page)
      filtered = performance.now() - start
    })
    const { bytes } = network
    return {
      firstPaint,
      firstPicture,
      bytesToPicture,
      requestsToPicture,
      bytes,
      scrolling,
      filtering,
      filtered,
    }
  } finally {
    await context.close()
  }
}
