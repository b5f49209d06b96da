import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { settingsFromEnvironment } from '../../src/config'
import { openStore } from '../../src/storage/store'
import { launchChromium } from '../helpers/chromium'
import { type Clients, clientsOf } from '../helpers/clients'
import { inChromium, openPage, scrollThrough, seePictures } from '../helpers/gallery-page'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
} from '../helpers/local-mode'
import { makeBatch } from '../helpers/made-batch'
import { parseOpenMetrics, valuesOf } from '../helpers/openmetrics'

/*
 * Ten minutes of use under a limit of 60 invocations a minute, on the page's clock, which is advanced by the test:
 * opens, filters and scrolls a large batch, and follows uploads. The host counts the invocations.
 */

const minute = 60_000
const allowed = 20

jest.setTimeout(240_000)

inChromium.describe('Ten minutes of use', () => {
  let dataDir: string
  let local: RunningLocal
  let clients: Clients
  let browser: Browser
  let photo: Buffer

  beforeAll(async () => {
    dataDir = await newDataDir()
    local = await startLocalMode(dataDir, '--limits', 'openwhisk')
    clients = clientsOf(local.connection)
    photo = await readFile(join(__dirname, '../../samples/coffee.jpg'))
    const { endpoint, region, accessKeyId, secretAccessKey } = local.connection.s3
    const store = openStore({
      ...settingsFromEnvironment({}),
      s3Endpoint: endpoint,
      s3Region: region,
      s3AccessKeyId: accessKeyId,
      s3SecretAccessKey: secretAccessKey,
    })
    const buckets = { images: store.bucket('images'), results: store.bucket('results') }
    const made = { batch: 'made', records: 5000, thumbnails: 700, originals: 0 }
    await makeBatch(store, buckets, made)
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await local?.stop()
    await removeDataDir(dataDir)
  })

  async function hostSays() {
    const families = parseOpenMetrics(await (await fetch(`${local.connection.apiHost}/metrics`)).text())
    const activations = valuesOf(families, 'whisklens_host_activations')
    const results = Object.entries(activations).filter(([name]) => name.includes('whisklens/results'))
    return {
      invocations: results.reduce((sum, [, count]) => sum + count, 0),
      throttles: valuesOf(families, 'whisklens_host_throttles'),
    }
  }

  /** Uploads an image, and waits for its record. */
  const upload = async (key: string): Promise<void> => {
    await clients.upload(key, photo)
    await eventually(async () => (await clients.keys('images/')).some((name) => name.endsWith(key)))
  }

  it('makes at most 20 invocations, and shows new results', async () => {
    await upload('photos/first.jpg')
    const before = await hostSays()
    const { page, complaints, traffic, settled, close } = await openPage(browser)
    await page.clock.install()
    // Without the owner's secret, which would let the page query the limits.
    await page.goto(local.connection.gallery.replace(/#.*/, ''))
    const now = () => page.evaluate(() => Date.now())
    const start = await now()
    /** Advances the page's clock and runs its timers; responses arrive in real time. */
    const pass = async (milliseconds: number): Promise<void> => {
      for (let left = milliseconds; left > 0; left -= 5000) {
        await page.clock.runFor(Math.min(5000, left))
        await settled()
      }
    }
    const untilMinute = async (end: number): Promise<void> => {
      while ((await now()) < start + end * minute) await pass(10_000)
    }
    const says = (text: string | RegExp) => page.locator('#count', { hasText: text }).waitFor()

    await says(/^1 image$/)
    await pass(minute / 2)
    await upload('photos/second.jpg')
    await untilMinute(2)
    await says(/^2 images$/)

    await page.locator('[data-batch="made"]').click()
    await says(/^5,000 images$/)
    await pass(1000)
    await seePictures(page)
    await scrollThrough(page, 500, async () => {
      await pass(2000)
      await seePictures(page)
    })
    await page.locator('#labels .count-row').nth(2).click()
    await says(/ of 5,000 images$/)
    await pass(5000)
    await seePictures(page)

    await page.locator('[data-batch^="uploads-"]').click()
    await says(/^2 images$/)
    await upload('photos/third.jpg')
    await untilMinute(10)
    const after = await hostSays()
    const invocations = after.invocations - before.invocations
    process.stdout.write(`${JSON.stringify({ invocations, bytes: traffic.bytes })}\n`)
    expect(invocations).toBe(traffic.invocations.length)
    expect(invocations).toBeLessThanOrEqual(allowed)
    expect(after.throttles).toEqual(before.throttles)

    // The budget is used up: refreshes are delayed, which the page says, and then happen without user action.
    await page.locator('#live', { hasText: 'to save invocations' }).waitFor()
    await untilMinute(25)
    await says(/^3 images$/)
    expect(traffic.invocations.length).toBeLessThanOrEqual(2 * allowed)
    expect(complaints).toEqual([])
    await close()
  })
})
