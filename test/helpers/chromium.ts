import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'

const path = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Missing prerequisites of browser tests. */
export const missingForChromium = [
  !existsSync(path) && `${path} (apt-get install chromium, or set CHROMIUM_PATH)`,
  !existsSync(join(__dirname, '../../node_modules/playwright-core')) && 'the package playwright-core',
].filter(Boolean)

export async function launchChromium(): Promise<Browser> {
  const { chromium } = await import('playwright-core')
  return chromium.launch({
    executablePath: path,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-sync',
    ],
  })
}

/** Collects everything a browser reports: console errors, CSP violations, uncaught errors, dialogs. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (thrown) => complaints.push(String(thrown)))
  page.on('dialog', async (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    await dialog.dismiss()
  })
  return complaints
}

/** Polls until a condition holds. */
export async function until(page: Page, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; !(await holds()); await page.waitForTimeout(50)) {
    if (Date.now() > end) throw new Error('waited too long')
  }
}

export const colourOf = (element: Locator, property: 'color' | 'backgroundColor'): Promise<string> =>
  element.evaluate((node, name) => node.ownerDocument.defaultView.getComputedStyle(node)[name], property)

/** WCAG 2 contrast ratio of two colours, `rgb(r, g, b)`. */
export function contrast(a: string, b: string): number {
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
