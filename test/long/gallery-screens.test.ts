import type { Browser, Page } from 'playwright-core'
import { openStore } from '../../src/storage/store'
import { launchChromium } from '../helpers/chromium'
import { serveAction, startStore, type TestStore, token } from '../helpers/gallery'
import { type GalleryPage, inChromium, openPage, seePictures } from '../helpers/gallery-page'
import { makeBatch } from '../helpers/made-batch'
import { isFull } from './sizes'

/* axe in each state of the page, on each kind of screen, light and dark; and keyboard operation. */

const screens = {
  phone: { width: 390, height: 844 },
  laptop: { width: 1280, height: 800 },
  wide: { width: 2560, height: 1440 },
}
/** All combinations, or a subset that covers each screen and scheme once. */
const schemes: Record<keyof typeof screens, ('light' | 'dark')[]> = isFull
  ? { phone: ['light', 'dark'], laptop: ['light', 'dark'], wide: ['light', 'dark'] }
  : { phone: ['dark'], laptop: ['light'], wide: ['dark'] }
/** Wide screens have nothing that the other two do not cover. */
const statesWhenWide = ['grid', 'viewer']

jest.setTimeout(120_000)

inChromium.describe('The gallery', () => {
  let store: TestStore
  let empty: TestStore
  let server: Awaited<ReturnType<typeof serveAction>>
  let emptyServer: Awaited<ReturnType<typeof serveAction>>
  let browser: Browser

  beforeAll(async () => {
    ;[store, empty] = await Promise.all([startStore(), startStore()])
    const made = { batch: 'made', records: 500, thumbnails: 500, originals: 60 }
    await makeBatch(openStore(store.settings), store, made)
    ;[server, emptyServer] = await Promise.all([serveAction(store.settings), serveAction(empty.settings)])
    await store.allow(new URL(server.url).origin)
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    for (const one of [server, emptyServer, store, empty]) await one?.close()
  })

  const address = () => `${server.url}?token=${token}&batch=made`

  const isWide = ({ page }: GalleryPage) => (page.viewportSize()?.width ?? 0) > 1000

  /** States, and how to reach them. */
  const states: Record<string, (gallery: GalleryPage) => Promise<void>> = {
    grid: async ({ page }) => {
      await page.goto(address())
      await seePictures(page)
    },
    errors: async (gallery) => {
      await gallery.page.goto(`${address()}&status=error`)
      await gallery.page.locator('[role=gridcell].error').first().waitFor()
    },
    selection: async ({ page }) => {
      await page.goto(address())
      await seePictures(page)
      await page.locator('[role=gridcell]').first().focus()
      await page.keyboard.press('Space')
      await page.keyboard.press('Shift+ArrowRight')
      await page.getByText('2 selected').waitFor()
      await page.locator('.selection summary', { hasText: 'Export' }).click()
    },
    'all labels': async (gallery) => {
      const { page } = gallery
      await page.goto(address())
      await seePictures(page)
      if (!isWide(gallery)) await page.getByRole('button', { name: 'Filters', exact: true }).click()
      await page.getByRole('button', { name: /^Show all/ }).click()
      await page.getByLabel('Find a label').waitFor()
    },
    viewer: async ({ page }) => {
      await page.goto(address())
      await seePictures(page)
      await page.locator('[role=gridcell]').first().click()
      await page.locator('dialog.viewer .labels li').first().waitFor()
      await page.locator('dialog.viewer details.record summary').click()
    },
    help: async ({ page }) => {
      await page.goto(address())
      await seePictures(page)
      await page.getByRole('button', { name: 'Keyboard' }).click()
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    },
    'no match': async ({ page }) => {
      await page.goto(`${address()}&search=nothing+at+all`)
      await page.getByText('No image matches the filters').waitFor()
    },
    'no batch': async ({ page }) => {
      await page.goto(`${emptyServer.url}?token=${token}`)
      await page.getByText('No batch yet').waitFor()
      await page.getByText('whisklens upload photos/').waitFor()
    },
    // The token was changed between loading the page and its first data request.
    refused: async ({ page }) => {
      await page.route('**/results?*format=json*', async (route) => {
        store.settings.resultsToken = 'another'
        await route.continue()
      })
      try {
        await page.goto(address())
        await page.getByRole('heading', { name: 'No access' }).waitFor()
      } finally {
        store.settings.resultsToken = token
      }
    },
  }

  describe.each(Object.keys(screens) as (keyof typeof screens)[])('on a screen of the kind %s', (kind) => {
    const viewport = screens[kind]
    const names = kind === 'wide' && !isFull ? statesWhenWide : Object.keys(states)
    const cases = names.flatMap((name) => schemes[kind].map((colorScheme) => [name, colorScheme] as const))

    it.each(cases)(
      'has no accessibility faults found by axe, and fits: %s, %s',
      async (name, colorScheme) => {
        const gallery = await openPage(browser, { viewport, colorScheme })
        await states[name]?.(gallery)
        expect(await gallery.faults()).toEqual([])
        const width = await gallery.page.locator('html').evaluate((html) => html.scrollWidth)
        expect(width).toBeLessThanOrEqual(viewport.width)
        // The browser reports a refused request as an error.
        const complaints = gallery.complaints.filter((one) => !(name === 'refused' && one.includes('401')))
        expect(complaints).toEqual([])
        await gallery.close()
      },
    )
  })

  it('is usable by keyboard only, and never loses the focus', async () => {
    const { page, focused, complaints, close } = await openPage(browser)
    await page.goto(address())
    await seePictures(page)
    const at = (selector: string) => page.locator(`${selector}:focus`).waitFor()
    /** Presses keys in sequence; none may lose the focus. */
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) {
        await page.keyboard.press(key)
        await page.waitForTimeout(60)
        expect({ key, isLost: (await focused()) === '' }).toEqual({ key, isLost: false })
      }
    }
    await press('Tab')
    await at('a.skip')
    await press('Enter')
    await tabTo(page, '[role=gridcell]', press)
    await at('[data-position="0"]')
    await press('ArrowRight', 'ArrowDown', 'PageDown', 'PageDown', 'PageDown', 'ArrowLeft', 'Control+End')
    await at('[data-position="499"]')
    await press('Control+Home', 'ArrowRight', 'Space')
    await page.getByText('1 selected').waitFor()
    await press('Escape', 'Enter')
    await page.locator('dialog.viewer').waitFor()
    await press(
      'ArrowRight',
      'ArrowRight',
      '+',
      '0',
      '1',
      'End',
      'Home',
      'ArrowRight',
      '?',
      'Escape',
      'Escape',
    )
    await at('[data-position="1"]')
    await press('?', 'Escape')
    await at('[data-position="1"]')
    await press('/')
    await at('#search')
    await page.keyboard.type('nothing at all')
    await page.getByText('No image matches the filters').waitFor()
    expect(await focused()).not.toBe('')
    await tabTo(page, 'button', press, 'Clear filters')
    await press('Enter')
    await page.locator('#count', { hasText: '500 images' }).waitFor()
    expect(await focused()).not.toBe('')
    await tabTo(page, '#labels .count-row', press, undefined, 'Shift+Tab')
    await press('Enter')
    await page.locator('#count', { hasText: 'of 500 images' }).waitFor()
    expect(await focused()).not.toBe('')
    expect(complaints).toEqual([])
    await close()
  })
})

/** Presses Tab until an element is focused. */
async function tabTo(
  page: Page,
  selector: string,
  press: (key: string) => Promise<void>,
  hasText?: string,
  key = 'Tab',
): Promise<void> {
  const wanted = page.locator(`${selector}:focus`, { hasText })
  for (let tries = 0; tries < 80; tries++) {
    await press(key)
    if ((await wanted.count()) > 0) return
  }
  throw new Error(`Tab does not lead to ${selector}`)
}
