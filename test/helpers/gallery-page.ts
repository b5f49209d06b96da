import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { complaintsOf, missingForChromium } from './chromium'
import { needs } from './needs'

const isThere = existsSync(join(__dirname, '../../node_modules/axe-core'))
const missing = [...missingForChromium, !isThere && 'the package axe-core'].filter(Boolean)

/** `describe` for what needs Chromium. */
export const inChromium = needs(missing.length > 0 && `missing ${missing.join(' and ')}`)

/** What a page has asked for so far. */
export interface Traffic {
  /** As sent, compressed where they were, headers included. */
  bytes: number
  requests: number
  /** Of the action `results`: each is an invocation. */
  invocations: URL[]
}

/** An accessibility fault that axe finds. */
interface Violation {
  id: string
  impact: string | null
  nodes: { html: string; failureSummary: string }[]
}

export interface GalleryPage {
  page: Page
  traffic: Traffic
  /** Waits until nothing that was asked for is under way. */
  settled(): Promise<void>
  /** Violations of the policy, errors, warnings, dialogs: there should be none. */
  complaints: string[]
  /** What axe finds of serious or critical faults, in a line each. */
  faults(): Promise<string[]>
  /** Elements in the document. */
  mounted(): Promise<number>
  /** What has the focus: never nothing, which is the body. */
  focused(): Promise<string>
  close(): Promise<void>
}

/** A page of a context of its own, watched from its first request on. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<GalleryPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  // axe is there before the page's policy is.
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
    // What an answer leads to is asked for at once, or in its turn.
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
    // Not `:focus`: that does not match a date's calendar button, which is within the input.
    focused: () =>
      page.locator('html').evaluate((html) => {
        const { activeElement: element, body } = html.ownerDocument
        return !element || element === body ? '' : `${element.tagName.toLowerCase()}.${element.className}`
      }),
    close: () => context.close(),
  }
}

/** Images on the screen whose picture has been loaded. */
export const picturesOnScreen = (page: Page): Promise<number> =>
  page.locator('[role=gridcell] img').evaluateAll(
    (images) =>
      images.filter((image) => {
        const { top, bottom } = image.getBoundingClientRect()
        const { innerHeight } = image.ownerDocument.defaultView
        return image.complete && image.naturalWidth > 0 && bottom > 0 && top < innerHeight
      }).length,
  )

/** Waits until all images on the screen have their pictures. */
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

/** Goes down by keys, screen by screen, until so many photos were seen. */
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
