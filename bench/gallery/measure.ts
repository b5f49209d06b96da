import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'

/** Measurements of a page, milliseconds and bytes. */
export interface Seen {
  firstPaint: number
  firstPicture: number
  /** Network traffic until the first picture, and in total. */
  bytesToPicture: number
  requestsToPicture: number
  bytes: number
  /** Longest task on the main thread while scrolling through 500 photos. */
  scrolling: number
  filtering: number
  /** From setting the filter to its pictures. */
  filtered: number
}

/** Actions on a gallery. */
export interface Gallery {
  /** Scrolls through 500 photos, screen by screen. */
  scroll(page: Page): Promise<void>
  /** Filters by a label and waits for the filtered photos. */
  filter(page: Page): Promise<void>
}

/** Values recorded by in-page.js. */
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
    /** Longest task during an action; 50 ms if none is longer, since browsers do not report shorter ones. */
    const longest = async (work: () => Promise<void>): Promise<number> => {
      const before = (await noted()).tasks.length
      await work()
      // Long tasks are reported with a delay.
      await page.waitForTimeout(200)
      return Math.max(50, ...(await noted()).tasks.slice(before))
    }
    // The page's content security policy blocks Playwright's own polling.
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
