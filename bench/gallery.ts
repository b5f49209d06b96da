import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { measure, type Seen } from './gallery/measure'
import { oldGallery } from './gallery/old'
import { startOldServer } from './gallery/server'

/*
 * How quick the gallery is in Chromium: at 100,000 records, and at 5,000 beside the gallery of cards that it replaced. Both are
 * served by the same action over the same made records, and take turns.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: '100000' },
    beside: { type: 'string', default: '5000' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const [rounds, beside] = [Number(values.rounds), Number(values.beside)]

async function main(): Promise<void> {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const old = await startOldServer({ records: beside, originals: 600 })
  try {
    const seen: Seen[] = []
    for (let round = 0; round < rounds; round++) seen.push(await measure(browser, old.url, oldGallery))
    console.log(seen)
  } finally {
    await old.stop()
    await browser.close()
  }
}

void main()
