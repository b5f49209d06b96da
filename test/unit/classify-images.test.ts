import { setTimeout as sleep } from 'node:timers/promises'
import { type ClassifyOptions, classifyImages } from '../../src/batch/classify/classify-images'
import { loadModel } from '../../src/classifier/load'
import { StorageError } from '../../src/errors'
import { type ImageRef, recordSchema } from '../../src/schema'
import type { Store } from '../../src/storage/store'
import { sample } from '../helpers/images'

/** A store whose objects come from `read`. */
const storeOf = (read: (key: string) => Promise<Buffer> | Buffer): Store =>
  ({
    bucket: () => ({
      get: async (key: string) => {
        const body = await read(key)
        return {
          key,
          body,
          etag: 'e1',
          size: body.length,
          lastModified: '2026-01-01T00:00:00.000Z',
          metadata: {},
        }
      },
    }),
  }) as unknown as Store

const refs = (...keys: string[]): ImageRef[] => keys.map((key) => ({ bucket: 'images', key }))

async function classify(images: ImageRef[], options: Partial<ClassifyOptions> = {}) {
  return classifyImages(images, {
    model: await loadModel('efficientnet-lite0', 'wasm'),
    store: storeOf((key) => sample(key)),
    activationId: 'a1',
    deadline: Date.now() + 60_000,
    ...options,
  })
}

describe('a chunk of images', () => {
  it('becomes one record per image, in order', async () => {
    const records = await classify(refs('cat', 'coffee', 'camera', 'rocket', 'flower', 'palace'))
    expect(records.map(({ key }) => key)).toEqual(['cat', 'coffee', 'camera', 'rocket', 'flower', 'palace'])
    expect(records.map(({ labels }) => labels[0]?.label)).toEqual([
      'tiger cat',
      'espresso',
      'tripod',
      'missile',
      'daisy',
      'palace',
    ])
  })

  it('produces valid records', async () => {
    const [record] = await classify(refs('cat'))
    expect(recordSchema.parse(record)).toEqual(record)
    expect(record).toMatchObject({
      bucket: 'images',
      key: 'cat',
      etag: 'e1',
      size: sample('cat').length,
      status: 'ok',
      width: 451,
      height: 300,
      format: 'jpeg',
      model: expect.stringMatching(/^efficientnet-lite0@/),
      engine: 'wasm',
      activationId: 'a1',
    })
    expect(record?.labels).toHaveLength(5)
    expect(record?.error).toBeUndefined()
  })

  it('writes no record if the store is not trusted, so that the next attempt can', async () => {
    const untrusted = new StorageError('tls_untrusted', 0, 'Could not read s3://images/cat')
    const store = storeOf(() => Promise.reject(untrusted))
    await expect(classify(refs('cat', 'coffee'), { store })).rejects.toBe(untrusted)
  })

  it('records the failure of one image and continues', async () => {
    const failures: Record<string, () => Buffer> = {
      text: () => Buffer.from('no photo'),
      empty: () => Buffer.alloc(0),
      half: () => sample('cat').subarray(0, 9000),
      gone: () => {
        throw new StorageError('object_not_found', 404, 'There is no gone')
      },
      mine: () => {
        throw new StorageError('access_denied', 403, 'Not yours')
      },
      busy: () => {
        throw new StorageError('store_failed', 503, 'Later', { retryable: true })
      },
      giant: () => {
        throw new StorageError('object_too_large', 200, 'Over 64 MiB')
      },
      broken: () => {
        throw new TypeError('a bug')
      },
    }
    const store = storeOf((key) => (failures[key] ?? (() => sample(key)))())
    const records = await classify(refs(...Object.keys(failures), 'cat'), { store })
    expect(records.map(({ key, status, error }) => [key, status, error?.code, error?.retryable])).toEqual([
      ['text', 'error', 'image_unsupported', false],
      ['empty', 'error', 'image_empty', false],
      ['half', 'error', 'image_corrupt', false],
      ['gone', 'error', 'image_missing', false],
      ['mine', 'error', 'access_denied', false],
      ['busy', 'error', 'download_failed', true],
      ['giant', 'error', 'image_too_large', false],
      ['broken', 'error', 'internal', true],
      ['cat', 'ok', undefined, undefined],
    ])
    for (const record of records) expect(recordSchema.parse(record)).toEqual(record)
  })

  it('downloads ahead, at most four', async () => {
    let [now, most] = [0, 0]
    const store = storeOf(async () => {
      most = Math.max(most, ++now)
      await sleep(5)
      now -= 1
      return sample('cat')
    })
    await classify(refs(...Array.from({ length: 12 }, (_, index) => `${index}`)), { store })
    expect(most).toBe(4)
  })

  it('reads large objects one at a time, small ones beside them', async () => {
    const large = new Set(['b', 'c', 'e', 'f'])
    let [now, most] = [0, 0]
    const store = storeOf(async (key) => {
      if (large.has(key)) most = Math.max(most, ++now)
      await sleep(5)
      return sample('cat')
    })
    const images = refs('a', 'b', 'c', 'd', 'e', 'f', 'g').map((image) => ({
      ...image,
      size: large.has(image.key) ? 9 * 1024 * 1024 : 1000,
    }))
    const records = await classifyImages(images, {
      model: await loadModel('efficientnet-lite0', 'wasm'),
      store: {
        bucket: (name) => ({
          ...store.bucket(name),
          get: (key) =>
            store
              .bucket(name)
              .get(key)
              .finally(() => large.has(key) && now--),
        }),
      } as Store,
      activationId: 'a1',
      deadline: Date.now() + 60_000,
    })
    expect(most).toBe(1)
    expect(records.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  })

  it('classifies at least one image when time is up, and no more', async () => {
    const records = await classify(refs('cat', 'coffee', 'camera'), { deadline: Date.now() + 1000 })
    expect(records.map(({ key }) => key)).toEqual(['cat'])
  })

  it('stops before its output exceeds the limit of a sequence', async () => {
    const images = Array.from({ length: 1000 }, (_, index) => ({
      bucket: 'images',
      key: `${'a'.repeat(1000)}${index}`,
    }))
    const store = storeOf(() => Buffer.from('no photo'))
    const records = await classify(images, { store })
    const bytes = Buffer.byteLength(JSON.stringify(records))
    expect(records.map(({ key }) => key)).toEqual(images.slice(0, records.length).map(({ key }) => key))
    expect(bytes).toBeGreaterThan(700 * 1024)
    expect(bytes).toBeLessThan(900 * 1024)
  })

  it('reserves output space for the remaining images, if they are passed on', async () => {
    const images = Array.from({ length: 700 }, (_, index) => ({
      bucket: 'images',
      key: `${'a'.repeat(1000)}${index}`,
    }))
    const store = storeOf(() => Buffer.from('no photo'))
    const records = await classify(images, { store, includesRest: true })
    const bytes = Buffer.byteLength(JSON.stringify({ images: records, rest: images.slice(records.length) }))
    expect(records.length).toBeGreaterThan(100)
    expect(bytes).toBeGreaterThan(700 * 1024)
    expect(bytes).toBeLessThan(850 * 1024)
  })

  it('may be empty', async () => {
    expect(await classify([])).toEqual([])
  })
})
