import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { complaintsOf, missingForChromium } from './chromium'
import { needs } from './needs'

const isThere = existsSync(join(__dirname, '../../node_modules/axe-core'))
const missing = [...missingForChromium, !isThere && 'the package axe-core'].filter(Boolean)

/** `describe` for tests that need Chromium. */
export const inChromium = needs(missing.length > 0 && `missing ${missing.join(' and ')}`)

/** Requests of a page so far. */
export interface Traffic {
  /** Transfer size: compressed, including headers. */
  bytes: number
  requests: number
  /** Requests to the action `results`; each is an invocation. */
  invocations: URL[]
}

/** An accessibility violation found by axe. */
interface Violation {
  id: string
  impact: string | null
  nodes: { html: string; failureSummary: string }[]
}

export interface GalleryPage {
  page: Page
  traffic: Traffic
  /** Waits until no request is pending. */
  settled(): Promise<void>
  /** CSP violations, errors, warnings, dialogs; should be empty. */
  complaints: string[]
  /** Serious and critical axe violations, one line each. */
  faults(): Promise<string[]>
  /** Number of elements in the document. */
  mounted(): Promise<number>
  /** The focused element; empty if it is the body, which means that the focus was lost. */
  focused(): Promise<string>
  close(): Promise<void>
}

/** Opens a page in its own context, recorded from the first request. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<GalleryPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  // Injected before the page's CSP applies.
  await context.addInitScript({ path: require.resolve('axe-core/axe.min.js') })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const traffic: Traffic = { bytes: 0, requests: 0, invocations: [] }
  const complaints = complaintsOf(page)
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (/^\/(results|api\/v1\/web\/.*\/results)$/.test(url.pathname)) traffic.invocations.push(url)
  })
  let pending = 0
  page.on('request', () => pending++)
  page.on('requestfinished', () => pending--)
  page.on('requestfailed', () => pending--)
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    traffic.bytes += encodedDataLength
    traffic.requests++
  })
  return {
    page,
    traffic,
    complaints,
    // Follow-up requests may start a little later.
    settled: async () => {
      do await page.waitForTimeout(50)
      while (pending > 0)
    },
    faults: async () => {
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
        return (await axe.run()).violations
      })
      return found
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0]?.html} ${nodes[0]?.failureSummary}`)
    },
    mounted: () => page.locator('*').count(),
    // Not `:focus`: it does not match the calendar button inside a date input.
    focused: () =>
      page.locator('html').evaluate((html) => {
        const { activeElement: element, body } = html.ownerDocument
        return !element || element === body ? '' : `${element.tagName.toLowerCase()}.${element.className}`
      }),
    close: () => context.close(),
  }
}

/** Number of images on screen whose picture is loaded. */
export const picturesOnScreen = (page: Page): Promise<number> =>
  page.locator('[role=gridcell] img').evaluateAll(
    (images) =>
      images.filter((image) => {
        const { top, bottom } = image.getBoundingClientRect()
        const { innerHeight } = image.ownerDocument.defaultView
        return image.complete && image.naturalWidth > 0 && bottom > 0 && top < innerHeight
      }).length,
  )

/** Waits until all images on screen have their pictures. */
export async function seePictures(page: Page, least = 1): Promise<number> {
  for (const end = Date.now() + 20_000; ; await page.waitForTimeout(30)) {
    const cells = await page.locator('[role=gridcell]:not(.error)').evaluateAll(
      (all) =>
        all.filter((cell) => {
          const { top, bottom } = cell.getBoundingClientRect()
          return bottom > 0 && top < cell.ownerDocument.defaultView.innerHeight
        }).length,
    )
    const pictures = await picturesOnScreen(page)
    if (pictures >= Math.max(least, cells)) return pictures
    if (Date.now() > end) throw new Error(`Only ${pictures} of ${cells} pictures are there`)
  }
}

/** Presses Page Down until a given number of photos has been passed. */
export async function scrollThrough(
  page: Page,
  photos: number,
  after: () => Promise<unknown>,
): Promise<void> {
  await page.locator('[role=gridcell]').first().focus()
  for (let seen = 0; seen < photos; ) {
    await page.keyboard.press('PageDown')
    await after()
    const position = await page.locator('[role=gridcell]:focus').getAttribute('data-position')
    seen = Number(position)
  }
}
