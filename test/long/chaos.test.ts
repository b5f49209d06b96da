import pLimit from 'p-limit'
import { type Chaos, type ChaosOptions, startChaos } from '../helpers/chaos'
import { clientsOf, parseLines } from '../helpers/clients'
import {
  eventually,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'
import { essence, keyOf, outcomeOf, type Planted, plant, prefix } from '../helpers/planted'

/** `npm run check:full` runs these at the size they promise. */
const images = process.env.WHISKLENS_FULL ? 2000 : 160

const failingStore: ChaosOptions = { faults: { unavailable: 0.05, cut: 0.01 } }
const dyingContainers: ChaosOptions = { recordsPerKill: process.env.WHISKLENS_FULL ? 25 : 10 }
const everything: ChaosOptions = { ...failingStore, ...dyingContainers }

const patience = 3_600_000
jest.setTimeout(2 * patience)

let planted: Planted
let dataDir: string
let local: RunningLocal
let clients: ReturnType<typeof clientsOf>
let chaos: Chaos
let notes: object[]
let began: number

async function start(options: ChaosOptions): Promise<void> {
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  chaos = await startChaos(local, options)
}

async function stop(signal?: NodeJS.Signals): Promise<void> {
  await local.stop(signal)
  notes.push(chaos.told())
  await chaos.close()
}

beforeAll(async () => {
  planted = await plant(images)
})

afterAll(() => planted.remove())

beforeEach(async () => {
  dataDir = await planted.copy()
  notes = []
  began = Date.now()
})

afterEach(async () => {
  await stop()
  await removeDataDir(dataDir)
  const { currentTestName } = expect.getState()
  const seconds = Math.round((Date.now() - began) / 1000)
  process.stderr.write(`${currentTestName}: ${images} images, ${seconds} s, ${JSON.stringify(notes)}\n`)
})

/** The first line that is not what it has to be: a diff of thousands would help nobody. */
function firstDifference(found: string[], expected: string[]): object | undefined {
  const length = Math.max(found.length, expected.length)
  const line = Array.from({ length }, (_, at) => at).find((at) => found[at] !== expected[at])
  return line === undefined ? undefined : { line, found: found[line], expected: expected[line] }
}

async function expectExactlyOnce(batch: string): Promise<void> {
  await clients.completed(batch, patience)
  const { results, errors, summary } = await outcomeOf(batch, clients)
  expect(summary).toEqual(planted.expected.summary)
  expect(firstDifference(results, planted.expected.results)).toBeUndefined()
  expect(firstDifference(errors, planted.expected.errors)).toBeUndefined()
}

/** Neither the same batch nor another has anything left to do; some images are in error, which the exit code tells. */
async function expectNothingLeft(batch: string): Promise<void> {
  chaos.calm()
  const parts = await clients.keys(`batches/${batch}/parts/`)
  const results = await clients.read(`batches/${batch}/results.jsonl`)
  const fire = async (id: string) => {
    const { stdout, code } = await whisklens(['batch', prefix, '--batch', id, '--json'], {
      WHISKLENS_DATA: dataDir,
    })
    return { code, totals: JSON.parse(stdout).totals }
  }
  const { ok, error } = planted.expected.summary.totals
  expect(await fire(batch)).toMatchObject({
    code: 3,
    totals: { planned: images, skipped: images, ok, error },
  })
  expect(await clients.keys(`batches/${batch}/parts/`)).toEqual(parts)
  expect(await clients.read(`batches/${batch}/results.jsonl`)).toBe(results)
  expect(await fire('another')).toMatchObject({ code: 0, totals: { planned: 0, skipped: images } })
}

/** The newest records of all images. */
async function newestRecords(): Promise<string[]> {
  const limit = pLimit(8)
  const keys = await clients.keys('images/')
  const records = await Promise.all(keys.map((key) => limit(() => clients.read(key))))
  return essence(records.join('\n'))
}

describe('a batch ends every image exactly once', () => {
  it.each([
    ['containers are killed', dyingContainers],
    ['the store fails', failingStore],
    ['containers are killed and the store fails', everything],
  ])('while %s', async (_, options) => {
    await start(options)
    await clients.fire('chaos', { prefix })
    await expectExactlyOnce('chaos')
    await expectNothingLeft('chaos')
  })

  it.each([
    ['', {}],
    [', while containers are killed and the store fails', everything],
  ])('when the host is killed half-way and started again%s', async (_, options) => {
    await start(options)
    await clients.fire('chaos', { prefix })
    const done = async () => (await clients.summaryOf('chaos'))?.totals.ok ?? 0
    await eventually(async () => (await done()) > images / 2, 'half of the batch', patience)
    await stop('SIGKILL')
    await start(options)
    await expectExactlyOnce('chaos')
    await expectNothingLeft('chaos')
  })
})

/** Sends every event twice in any order, as a notifier does: some to a message, and again until they are taken. */
async function postEventsTwice(): Promise<void> {
  const { parameters = [] } = await clients.ow.packages.get({ name: 'whisklens' })
  const token = parameters.find(({ key }) => key === 'eventsToken')?.value
  const url = `${local.connection.apiHost}/api/v1/web/guest/whisklens/bucket-events`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const events = Array.from({ length: 2 * images }, (_, number) => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'images' }, object: { key: keyOf(number % images) } },
    order: Math.random(),
  })).sort((a, b) => a.order - b.order)
  const limit = pLimit(2)
  const post = (Records: object[]) => {
    const body = JSON.stringify({ Records })
    return eventually(async () => (await fetch(url, { method: 'POST', headers, body })).ok, 'bucket-events')
  }
  const messages = Array.from({ length: events.length / 20 }, (_, index) =>
    events.slice(index * 20, index * 20 + 20),
  )
  await Promise.all(messages.map((message) => limit(post, message)))
}

describe('events that come twice, shuffled,', () => {
  it('leave one record of each image', async () => {
    await start({})
    await postEventsTwice()
    const counted = async () => {
      const [day = ''] = (await clients.keys('batches/uploads-')).filter((key) =>
        key.endsWith('/summary.json'),
      )
      const { totals } = JSON.parse((day && (await clients.read(day))) || '{"totals":{}}')
      return totals.ok + totals.error === 2 * images && day.split('/')[1]
    }
    const day = await eventually(counted, 'all reports', patience)
    const { stdout } = await whisklens(['results', day, '--json'], { WHISKLENS_DATA: dataDir })
    expect(parseLines(stdout)).toHaveLength(images)
    expect(firstDifference(essence(stdout), planted.expected.results)).toBeUndefined()
    expect(firstDifference(await newestRecords(), planted.expected.results)).toBeUndefined()
    await clients.fire('after', { prefix })
    const { totals } = await clients.completed('after', patience)
    expect(totals).toMatchObject({ listed: images, planned: 0, skipped: images })
  })

  it('leave nothing undone after a batch, while containers are killed and the store fails', async () => {
    await start(everything)
    await postEventsTwice()
    await clients.fire('after', { prefix })
    await clients.completed('after', patience)
    expect(firstDifference(await newestRecords(), planted.expected.results)).toBeUndefined()
    chaos.calm()
    await clients.fire('again', { prefix })
    const { totals } = await clients.completed('again', patience)
    expect(totals).toMatchObject({ listed: images, planned: 0, skipped: images })
  })
})
