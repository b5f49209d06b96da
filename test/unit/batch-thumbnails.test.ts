import { type ClassifyOptions, classifyImages } from '../../src/batch/classify/classify-images'
import { loadModel } from '../../src/classifier/load'
import { StorageError } from '../../src/errors'
import { log } from '../../src/log'
import { recordSchema } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { sample } from '../helpers/images'
import { collect, startTestStore, type TestStore } from './batch-fixtures'

const names = ['cat', 'coffee', 'palace']

let objects: TestStore
let images: Bucket
let results: Bucket
beforeAll(async () => {
  objects = await startTestStore()
  images = await objects.newBucket()
  for (const name of names) await images.put(name, sample(name))
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})
afterEach(() => jest.restoreAllMocks())

const refs = (...keys: string[]) => keys.map((key) => ({ bucket: images.name, key }))

const classify = async (options: Partial<ClassifyOptions>, keys = names) =>
  classifyImages(refs(...keys), {
    model: await loadModel('efficientnet-lite0', 'wasm'),
    store: objects.store,
    activationId: 'a1',
    deadline: Date.now() + 60_000,
    ...options,
  })

const keysOf = async (bucket: Bucket) => (await collect(bucket.list())).map(({ key }) => key)

/** The bucket, with its writes replaced. */
const writing = (put: Bucket['put']): Bucket => ({ ...results, put })

describe('thumbnails', () => {
  it('are stored in the results bucket as the records say, cacheable for ever', async () => {
    const records = await classify({ thumbnails: results })
    for (const record of records) {
      expect(recordSchema.parse(record)).toEqual(record)
      const { key = '', bytes = 0, width = 0, height = 0 } = record.thumbnail ?? {}
      expect(key).toMatch(new RegExp(`^thumbnails/${images.name}/[0-9a-f]{32}\\.webp$`))
      expect(Math.max(width, height)).toBe(320)
      const answer = await fetch(results.presign(key, 60))
      expect(answer.headers.get('content-type')).toBe('image/webp')
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect((await answer.arrayBuffer()).byteLength).toBe(bytes)
    }
    expect(await keysOf(results)).toEqual(records.map(({ thumbnail }) => thumbnail?.key).sort())
  })

  it('do not change other fields, and are only made when enabled', async () => {
    const [withThem, without] = [await classify({ thumbnails: results }), await classify({})]
    const timeless = { at: '', timings: {}, thumbnail: undefined }
    expect(withThem.map((record) => ({ ...record, ...timeless }))).toEqual(
      without.map((record) => ({ ...record, ...timeless })),
    )
    for (const record of without) expect(record).not.toHaveProperty('thumbnail')
  })

  it('are one object per image version, however often it is classified', async () => {
    const first = await classify({ thumbnails: results }, ['cat', 'cat'])
    const again = await classify({ thumbnails: results }, ['cat'])
    expect(await keysOf(results)).toHaveLength(1)
    expect(new Set([...first, ...again].map(({ thumbnail }) => thumbnail?.key)).size).toBe(1)
    await images.put('changing', sample('cat'))
    const [old] = await classify({ thumbnails: results }, ['changing'])
    await images.put('changing', sample('coffee'))
    const [other] = await classify({ thumbnails: results }, ['changing'])
    expect(other?.thumbnail?.key).not.toBe(old?.thumbnail?.key)
    expect(await keysOf(results)).toHaveLength(3)
  })

  it('that cannot be written are missing in the records, and logged', async () => {
    const warned = jest.spyOn(log, 'warn')
    const thumbnails = writing(() => Promise.reject(new StorageError('access_denied', 403, 'Not yours')))
    const records = await classify({ thumbnails })
    for (const record of records) {
      expect(record).toMatchObject({ status: 'ok' })
      expect(record).not.toHaveProperty('thumbnail')
    }
    expect(warned.mock.calls).toEqual([
      [{ reason: 'Not yours' }, 'a thumbnail was not written'],
      [{ missing: 3 }, 'thumbnails are missing'],
    ])
  })

  it('are missing for images that cannot be decoded', async () => {
    await images.put('text', Buffer.from('no photo'))
    const records = await classify({ thumbnails: results }, ['text', 'cat'])
    expect(records.map(({ thumbnail }) => thumbnail !== undefined)).toEqual([false, true])
  })

  it('do not delay records at the deadline', async () => {
    // Writes are abandoned five seconds before the end.
    const thumbnails = writing(() => new Promise(() => {}))
    const records = await classify({ thumbnails, deadline: Date.now() + 6000 })
    expect(records).toMatchObject([{ key: 'cat', status: 'ok' }])
    expect(records[0]).not.toHaveProperty('thumbnail')
  })

  it('are written concurrently with classification, at most sixteen at a time', async () => {
    let [begun, now, most] = [0, 0, 0]
    let release = (): void => {}
    const sixteen = new Promise<void>((resolve) => {
      release = resolve
    })
    const started = Array.from({ length: 24 }, (_, index) => `copy-${index}`)
    for (const key of started) await images.put(key, sample('cat'))
    // Classification continues, or so many would never begin.
    const thumbnails = writing(async () => {
      most = Math.max(most, ++now)
      if (++begun === 16) release()
      await sixteen
      now -= 1
      return 'e'
    })
    const records = await classify({ thumbnails }, started)
    expect(most).toBe(16)
    expect(records.every(({ thumbnail }) => thumbnail)).toBe(true)
  })
})
