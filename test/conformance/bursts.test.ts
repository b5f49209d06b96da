import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../helpers/local-mode'
import { needs } from '../helpers/needs'
import { photo } from '../helpers/photos'
import { type Deployment, openDeployment } from './deployment'
import { openTarget, type Target } from './target'
import { untilNextMinute } from './wsk'

/*
 * Uploads to a store without alarms: one notification per object, posted once, whatever the answer. A server with
 * default limits (60 invocations a minute, 30 concurrent) rejects most of a burst, yet all images are classified.
 * Reduced unless WHISKLENS_FULL is set, which also prints figures for each burst.
 */

const isFull = process.env.WHISKLENS_FULL !== undefined
const atFullSize = needs(!isFull && 'only at full size, WHISKLENS_FULL=1')
const patience = 1_200_000

let target: Target
let deployment: Deployment
const photos: Buffer[] = []

beforeAll(async () => {
  target = await openTarget()
  deployment = openDeployment(target, 'manifest.stock.yaml')
  await deployment.deploy()
  await deployment.stopPolls()
  for (let number = 0; number < 60; number++) photos.push(await photo(number))
}, patience)
afterAll(async () => {
  await deployment.undeploy()
  await target.close()
})

/** Uploads an image and posts one notification, without retries. @returns whether it was accepted */
async function put(key: string, body: Buffer): Promise<boolean> {
  await deployment.upload(key, body)
  return deployment.postEvents([key]).catch(() => false)
}

/** Uploads `count` images spread over `seconds`. @returns number of accepted notifications */
async function burst(prefix: string, count: number, seconds: number): Promise<number> {
  const began = Date.now()
  const puts: Promise<boolean>[] = []
  for (let number = 0; number < count; number++) {
    await sleep(began + (number * seconds * 1000) / count - Date.now())
    puts.push(put(`${prefix}${number}.jpg`, photos[number % photos.length] as Buffer))
  }
  return (await Promise.all(puts)).filter(Boolean).length
}

const recordsBelow = async (prefix: string): Promise<number> =>
  (await deployment.keys('images/')).filter((key) => key.includes(`/${target.imagesBucket}/${prefix}`)).length

/** Waits for `count` records. @returns current time, milliseconds since the epoch */
async function allRecorded(prefix: string, count: number): Promise<number> {
  await eventually(
    async () => (await recordsBelow(prefix)) >= count,
    `${count} records below ${prefix}`,
    patience,
  )
  return Date.now()
}

/** Waits until no batch of uploads has a lease holder. */
const quiet = () =>
  eventually(
    async () => {
      const documents = (await deployment.keys('batches/uploads-')).filter((key) =>
        key.endsWith('/batch.json'),
      )
      const days = await Promise.all(
        documents.map(async (key) => JSON.parse((await deployment.read(key)) ?? '')),
      )
      return days.length > 0 && days.every(({ lease }) => lease.holder === null)
    },
    'the end of the loop',
    patience,
  )

interface Activation {
  name: string
  start: number
  duration?: number
}

/** All activations since a time. */
async function activationsSince(since: number): Promise<Activation[]> {
  const all: Activation[] = []
  for (let page: unknown[] = [0]; page.length > 0; ) {
    page = await deployment.ow.activations.list({ since, limit: 200, skip: all.length } as never)
    all.push(...(page as Activation[]))
  }
  return all
}

/** Prints the figures of a burst, after its loop has ended. */
async function report(name: string, began: number, done: number, more: object): Promise<void> {
  if (!isFull) return
  await quiet()
  await sleep(2_000)
  // A lease holder may have started earlier, by at most five minutes.
  const activations = await activationsSince(began - 300_000)
  const counts: Record<string, number> = {}
  for (const { name } of activations.filter(({ start }) => start >= began))
    counts[name] = (counts[name] ?? 0) + 1
  const holders = activations.filter(({ name }) => name === 'start-batch')
  const secondsFrom = ({ start, duration = 0 }: Activation, from: number) =>
    Math.max(0, start + duration - Math.max(from, start)) / 1000
  const gigabyteSeconds = (from: number) =>
    holders.reduce((sum, holder) => sum + secondsFrom(holder, from) * 0.25, 0)
  const figures = {
    ...more,
    seconds: (done - began) / 1000,
    loopSeconds: (Date.now() - began) / 1000,
    startBatchGbSeconds: gigabyteSeconds(began),
    ofThatIdle: gigabyteSeconds(done),
    ...counts,
  }
  process.stderr.write(`${name}: ${JSON.stringify(figures)}\n`)
}

async function classifiesAll(prefix: string, count: number, seconds: number): Promise<void> {
  const began = Date.now()
  const answers = burst(prefix, count, seconds)
  const done = await allRecorded(prefix, count)
  const taken = await answers
  expect(taken).toBeGreaterThan(0)
  await report(`${count} uploads in ${seconds} s`, began, done, { taken })
}

/** Uses up this minute's invocations. */
async function useUpMinute(): Promise<void> {
  await untilNextMinute()
  const invoke = () =>
    deployment.ow.actions.invoke({ name: 'whisklens/aggregate', params: { results: [] } }).then(
      () => '',
      (thrown: Error) => thrown.message,
    )
  await eventually(
    async () => /in the last minute/.test(String(await Promise.all(Array.from({ length: 10 }, invoke)))),
    'the end of the rate',
  )
}

describe('a burst of uploads at the limits of the platform', () => {
  it('is classified: 60 in 3 s', () => classifiesAll('short/', 60, 3))

  atFullSize.it('is classified: 500 in 30 s', () => classifiesAll('long/', 500, 30))

  atFullSize.it('is classified with another one 20 s later in the same minute', async () => {
    await untilNextMinute()
    const began = Date.now()
    // Answers may be slow: a webhook that holds the lease waits for capacity.
    const first = burst('twice/a', 60, 3)
    await sleep(began + 20_000 - Date.now())
    const second = burst('twice/b', 60, 3)
    const done = await allRecorded('twice/', 120)
    const taken = await Promise.all([first, second])
    await report('60 uploads, and 60 more 20 s later', began, done, { taken })
  })

  atFullSize.it('is classified where a loop runs and the minute is used up', async () => {
    expect(await put('alive/0.jpg', photos[0] as Buffer)).toBe(true)
    await allRecorded('alive/', 1)
    await useUpMinute()
    const began = Date.now()
    expect(await burst('refused/', 60, 3)).toBe(0)
    const done = await allRecorded('refused/', 60)
    await report('60 uploads with the minute used up, in a loop', began, done, {})
  })

  atFullSize.it('is classified with the next event where none of it was heard', async () => {
    await quiet()
    await useUpMinute()
    const began = Date.now()
    expect(await burst('unheard/', 60, 3)).toBe(0)
    await untilNextMinute()
    expect(await recordsBelow('unheard/')).toBe(0)
    expect(await put('unheard/next.jpg', photos[0] as Buffer)).toBe(true)
    const done = await allRecorded('unheard/', 61)
    await report('60 uploads with the minute used up, and one more', began, done, {})
  })
})

describe('a lone upload', () => {
  const uploads = isFull ? 20 : 2

  it(`is classified in each of ${uploads} tries`, async () => {
    const times: number[] = []
    for (let number = 0; number < uploads; number++) {
      // Stays within the rate limits.
      await sleep(number === 0 ? 0 : 8_000)
      const prefix = `lone/${number}.jpg`
      const began = Date.now()
      const accepted = put(prefix, photos[number] as Buffer)
      times.push((await allRecorded(prefix, 1)) - began)
      expect(await accepted).toBe(true)
    }
    const sorted = [...times].sort((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)]
    process.stderr.write(`lone uploads, ms from PUT to record: median ${median} of ${times.join(' ')}\n`)
  })
})
