import { parseArgs } from 'node:util'
import { launchChromium } from '../test/helpers/chromium'
import { type Gallery, measure, type Seen } from './gallery/measure'
import { newGallery } from './gallery/new'
import { oldGallery } from './gallery/old'
import { startOldServer, startServer } from './gallery/server'
import { median, ratioOf } from './statistics'

/*
 * Speed of the gallery in Chromium: at 100,000 records, and at 5,000 compared with the earlier gallery of cards. Both are served by
 * their action over the same generated records, and alternate.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: '100000' },
    beside: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
  },
})
const [rounds, records, beside] = [Number(values.rounds), Number(values.records), Number(values.beside)]
const pictures = { thumbnails: 700, originals: 700 }

interface Contestant {
  name: string
  gallery: Gallery
  url: string
  stop(): Promise<void>
}

async function startAll(): Promise<Contestant[]> {
  const old = await startOldServer({ records: beside, originals: pictures.originals })
  const same = await startServer({ records: beside, ...pictures })
  const large = await startServer({ records, ...pictures })
  return [
    { name: `cards, ${beside}`, gallery: oldGallery, ...old },
    { name: `now, ${beside}`, gallery: newGallery, ...same },
    { name: `now, ${records}`, gallery: newGallery, ...large },
  ]
}

const rows: [title: string, name: keyof Seen, unit: string][] = [
  ['first paint', 'firstPaint', 'ms'],
  ['first picture', 'firstPicture', 'ms'],
  ['bytes until then', 'bytesToPicture', 'kB'],
  ['requests until then', 'requestsToPicture', ''],
  ['longest task, scrolling 500', 'scrolling', 'ms'],
  ['longest task, filtering', 'filtering', 'ms'],
  ['filtered, with pictures', 'filtered', 'ms'],
  ['bytes in total', 'bytes', 'kB'],
]

function report(names: string[], seen: Map<string, Seen[]>): string {
  const [old = [], same = []] = names.map((name) => seen.get(name) ?? [])
  const lines = rows.map(([title, name, unit]) => {
    const of = (some: Seen[]): number[] => some.map((one) => one[name])
    const shown = names.map((key) => {
      const value = median(of(seen.get(key) ?? []))
      return `${Math.round(unit === 'kB' ? value / 1000 : value)} ${unit}`.trim()
    })
    return `| ${title} | ${shown.join(' | ')} | ${ratioOf(of(same), of(old)).toFixed(2)} |`
  })
  const head = `| medians of ${rounds} rounds | ${names.join(' | ')} | now / cards |`
  return `${head}\n|${'---|'.repeat(names.length + 2)}\n${lines.join('\n')}\n`
}

async function main(): Promise<void> {
  const contestants = await startAll()
  const browser = await launchChromium()
  const seen = new Map<string, Seen[]>(contestants.map(({ name }) => [name, []]))
  try {
    for (let round = 0; round < rounds; round++)
      for (const { name, url, gallery } of contestants)
        seen.get(name)?.push(await measure(browser, url, gallery))
  } finally {
    await browser.close()
    for (const { stop } of contestants) await stop()
  }
  if (values.json) process.stdout.write(`${JSON.stringify(Object.fromEntries(seen))}\n`)
  else
    process.stdout.write(
      report(
        contestants.map(({ name }) => name),
        seen,
      ),
    )
}

void main()
