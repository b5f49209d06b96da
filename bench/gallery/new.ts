import type { Page } from 'playwright-core'
import { scrollThrough, seePictures } from '../../test/helpers/gallery-page'
import type { Gallery } from './measure'

/** The current gallery. */
export const newGallery: Gallery = {
  scroll: async (page: Page) => {
    await seePictures(page)
    await scrollThrough(page, 500, () => seePictures(page))
  },
  filter: async (page: Page) => {
    const label = page.locator('#labels .count-row').first()
    const count = (await label.locator('.number').textContent()) ?? ''
    await label.click()
    await page.locator('#count', { hasText: `${count} of` }).waitFor()
    await seePictures(page)
  },
}
