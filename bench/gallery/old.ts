import type { Page } from 'playwright-core'
import type { Gallery } from './measure'

const cards = (page: Page) => page.locator('.card')

/** The earlier gallery of cards: 60 at a time, by a button. */
export const oldGallery: Gallery = {
  async scroll(page) {
    for (let shown = 60; shown < 500; shown += 60) {
      await page.getByRole('button', { name: 'Load more' }).click()
      await cards(page)
        .nth(shown + 59)
        .waitFor()
      await cards(page).last().scrollIntoViewIfNeeded()
    }
  },
  async filter(page) {
    const [label = ''] = await page.locator('#labels .name').allTextContents()
    await page.locator('#labels .bar').first().click()
    await cards(page).locator('.label').filter({ hasNotText: label }).first().waitFor({ state: 'detached' })
    await cards(page).locator('.label').filter({ hasText: label }).first().waitFor()
  },
}
