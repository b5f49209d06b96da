import pLimit from 'p-limit'
import type { ImageRecord } from '../../src/schema'
import { parseLines } from '../helpers/clients'
import { type Cluster, startCluster } from '../helpers/cluster'
import { eventually } from '../helpers/local-mode'
import { photo } from '../helpers/photos'
import { withVersity } from '../helpers/versity'

/** Full size in `npm run check:full`. */
const images = process.env.WHISKLENS_FULL ? 10_000 : 120
/** Kill OpenWhisk after this many records, while most images are in flight. */
const wellUnderWay = 20
/** Number of uploads while OpenWhisk is down, whose notifications are lost: the gateway does not retry. */
const unheard = images / 10

const patience = 3_600_000
jest.setTimeout(2 * patience)

const keyOf = (number: number): string => `photos/${String(number).padStart(5, '0')}.jpg`

withVersity('uploads to an S3 store of others', () => {
  let cluster: Cluster
  let photos: Buffer[]

  beforeAll(async () => {
    photos = await Promise.all(Array.from({ length: 40 }, (_, number) => photo(number)))
    cluster = await startCluster()
    const { code } = await cluster.run('deploy', '--quiet')
    expect(code).toBe(0)
    // Polls only when the test does, and includes the newest images.
    await cluster.updateFeed({ settle: 0, minutes: 0 })
  })
  afterAll(() => cluster.close())

  async function upload(from: number, to: number): Promise<void> {
    const limit = pLimit(4)
    const numbers = Array.from({ length: to - from }, (_, index) => from + index)
    const put = (number: number) => cluster.upload(keyOf(number), photos[number % photos.length] as Buffer)
    await Promise.all(numbers.map((number) => limit(put, number)))
  }

  const newest = () => cluster.keys('images/')

  /** Waits until no new records appear. Later notifications would only classify an image twice. */
  async function settled(): Promise<number> {
    let before = -1
    return eventually(
      async () => {
        const { length } = await newest()
        const isSettled = length === before
        before = length
        await new Promise((resolve) => setTimeout(resolve, 5000))
        return isSettled && length
      },
      'the last notification',
      patience,
    )
  }

  const recordsOf = async (batch: string): Promise<ImageRecord[]> =>
    parseLines((await cluster.run('results', batch, '--json')).stdout)

  it('are all classified, after one poll at the latest, although OpenWhisk is killed half-way', async () => {
    const began = Date.now()
    await upload(0, images / 2)
    const isUnderWay = async () => (await newest()).length >= wellUnderWay
    await eventually(isUnderWay, 'the first records', patience)
    await cluster.kill()
    await upload(images / 2, images / 2 + unheard)
    await cluster.restart()
    await upload(images / 2 + unheard, images)
    const heard = await settled()
    await cluster.poll()
    await eventually(async () => (await newest()).length === images, 'all records', patience)
    const keys = (await newest()).map((key) => key.slice(key.indexOf('/photos/') + 1))
    expect(keys).toEqual(Array.from({ length: images }, (_, number) => keyOf(number)))

    const days = new Set((await cluster.keys('batches/uploads-')).map((key) => key.split('/')[1] ?? ''))
    const found: ImageRecord[] = []
    for (const id of days) found.push(...(await recordsOf(id)))
    expect(found.filter(({ status }) => status !== 'ok')).toEqual([])
    expect([...new Set(found.map(({ key }) => key))].sort()).toEqual(keys)
    const seconds = Math.round((Date.now() - began) / 1000)
    process.stderr.write(`${images} uploads: ${heard} before the poll, ${seconds} s\n`)
  })
})
