import fc from 'fast-check'
import { errorOf, initialRecord, readRecord, writeRecord } from '../../src/batch/records/record'
import { recordKey } from '../../src/batch/state/layout'
import { ImageError, StorageError } from '../../src/errors'
import { type ImageRecord, recordSchema } from '../../src/schema'
import type { Bucket, Store } from '../../src/storage/store'
import {
  advanceClock,
  counted,
  errorRecord,
  minutes,
  model,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
} from './batch-fixtures'

let objects: TestStore
let photos: Bucket
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  photos = await objects.newBucket()
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

const clock = { now: () => Date.now(), sleep: async () => {} }

/** A store whose images come from the given bucket. */
const storeOf = (source: Bucket): Store => ({ bucket: () => source })

const upload = (key: string, content: string): Promise<string> => photos.put(key, content)

/** The record of an image version, downloaded just now. */
const recordOf = (key: string, etag: string | null, changes: Partial<ImageRecord> = {}): ImageRecord =>
  okRecord(key, { bucket: photos.name, etag, at: new Date().toISOString(), ...changes })

const write = (record: ImageRecord, source = photos, into = results): Promise<boolean> =>
  writeRecord({ store: storeOf(source), results: into, clock, random: Math.random }, record)

const newest = (key: string) => readRecord(results, model, { bucket: photos.name, key })

describe('the record of an image', () => {
  it('round-trips', async () => {
    const record = recordOf('x/😀 a.jpg', await upload('x/😀 a.jpg', 'v1'))
    expect(await newest('x/😀 a.jpg')).toBeUndefined()
    expect(await write(record)).toBe(true)
    expect(await newest('x/😀 a.jpg')).toEqual(record)
  })

  it('is found even if its key is too long to be listed', async () => {
    const key = 'k'.repeat(1024)
    const record = recordOf(key, await upload(key, 'v1'))
    expect(await write(record)).toBe(true)
    expect(await newest(key)).toEqual(record)
  })

  it('is separate for each model', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await write(record)
    await write({ ...record, model: 'other@00000000' })
    expect(await newest('a.jpg')).toEqual(record)
  })

  it('is valid by its schema from the start', () => {
    const at = Date.now()
    const made = { model, engine: 'wasm', activationId: 'a1', at }
    const record = initialRecord({ bucket: 'photos', key: 'a.jpg' }, made)
    expect(recordSchema.parse(record)).toMatchObject({ etag: null, size: null, status: 'error', labels: [] })
  })

  it('takes a single request for a new image', async () => {
    const { bucket, requests } = counted(results)
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    expect(await write(record, photos, bucket)).toBe(true)
    expect(requests.map(({ method }) => method)).toEqual(['put'])
  })

  it('counts as written when only the response was lost and the request retried', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    const forgetful: Bucket = {
      ...results,
      put: async (...args) => {
        await results.put(...args)
        throw new StorageError('precondition_failed', 412, 'It is there already')
      },
    }
    expect(await write(record, photos, forgetful)).toBe(true)
    expect(await newest('a.jpg')).toEqual(record)
  })

  it('replaces an unreadable one', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await results.put(recordKey(model, record), '{"schema":"whisklens.record/0"}')
    expect(await newest('a.jpg')).toBeUndefined()
    expect(await write(record)).toBe(true)
    expect(await newest('a.jpg')).toEqual(record)
  })
})

describe('versions of an image', () => {
  it('replace older ones', async () => {
    await write(recordOf('a.jpg', await upload('a.jpg', 'v1')))
    const second = recordOf('a.jpg', await upload('a.jpg', 'v2'))
    expect(await write(second)).toBe(true)
    expect(await newest('a.jpg')).toEqual(second)
  })

  it('keep the newer result when events arrive out of order', async () => {
    const first = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    const second = recordOf('a.jpg', await upload('a.jpg', 'v2'))
    await write(second)
    expect(await write(first)).toBe(false)
    expect(await newest('a.jpg')).toEqual(second)
  })

  it('prefer an error of the newer version to a result of the older', async () => {
    const first = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    const etag = await upload('a.jpg', 'broken')
    const second = errorRecord('a.jpg', {}, { bucket: photos.name, etag, at: first.at })
    expect(await write(second)).toBe(true)
    expect(await write(first)).toBe(false)
    expect(await newest('a.jpg')).toEqual(second)
  })

  it('end with the current one after races of many writers', async () => {
    let image = 0
    const writers = fc.array(fc.nat(2), { minLength: 2, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(writers, fc.nat(2), async (versions, current) => {
        const key = `race-${++image}.jpg`
        const etags: string[] = []
        for (const version of [0, 1, 2]) etags.push(await upload(key, `v${version}`))
        const etag = await upload(key, `v${current}`)
        await Promise.all(
          versions.map((version, number) =>
            write(recordOf(key, etags[version] ?? '', { activationId: `a${number}` })),
          ),
        )
        const kept = await newest(key)
        if (versions.includes(current)) expect(kept?.etag).toBe(etag)
        else expect(kept).toBeDefined()
      }),
      { numRuns: 15 },
    )
  })

  it('never go back when the image is overwritten while its older record is being written', async () => {
    await write(recordOf('a.jpg', await upload('a.jpg', 'v0')))
    const first = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    let second: ImageRecord | undefined
    const overwrittenAfterHead: Bucket = {
      ...photos,
      head: async (key) => {
        const head = await photos.head(key)
        if (!second) {
          second = recordOf('a.jpg', await upload('a.jpg', 'v2'))
          await write(second)
        }
        return head
      },
    }
    expect(await write(first, overwrittenAfterHead)).toBe(false)
    expect(await newest('a.jpg')).toEqual(second)
  })

  it('are checked against the source only in case of doubt', async () => {
    const etag = await upload('a.jpg', 'v1')
    const source = counted(photos)
    await write(recordOf('a.jpg', etag), source.bucket)
    await write(recordOf('a.jpg', etag), source.bucket)
    expect(source.requests).toEqual([])
    await write(recordOf('a.jpg', await upload('a.jpg', 'v2')), source.bucket)
    expect(source.requests).toEqual([{ method: 'head', key: 'a.jpg' }])
  })
})

describe('a download of more than ten minutes ago', () => {
  it('is accepted while the image is unchanged', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    advanceClock(minutes(11))
    const source = counted(photos)
    expect(await write(record, source.bucket)).toBe(true)
    expect(source.requests).toEqual([{ method: 'head', key: 'a.jpg' }])
  })

  it('is rejected if the image was overwritten', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await upload('a.jpg', 'v2')
    advanceClock(minutes(11))
    expect(await write(record)).toBe(false)
    expect(await newest('a.jpg')).toBeUndefined()
  })

  it('is rejected if the image was deleted', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await photos.delete('a.jpg')
    advanceClock(minutes(11))
    expect(await write(record)).toBe(false)
  })

  it('is not checked at exactly ten minutes', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    advanceClock(minutes(10))
    const source = counted(photos)
    expect(await write(record, source.bucket)).toBe(true)
    expect(source.requests).toEqual([])
  })
})

describe('a failure', () => {
  it('that is retryable is not stored, so that the next batch tries again', async () => {
    const etag = await upload('a.jpg', 'v1')
    const changes = { bucket: photos.name, etag }
    expect(await write(errorRecord('a.jpg', { code: 'internal', retryable: true }, changes))).toBe(false)
    expect(await newest('a.jpg')).toBeUndefined()
  })

  it('that is retryable does not replace an earlier result', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await write(record)
    await write(
      errorRecord('a.jpg', { code: 'lost', retryable: true }, { bucket: photos.name, etag: record.etag }),
    )
    expect(await newest('a.jpg')).toEqual(record)
  })

  it('of the image itself is stored', async () => {
    const record = errorRecord('a.jpg', {}, { bucket: photos.name, etag: await upload('a.jpg', 'v1') })
    expect(await write(record)).toBe(true)
    expect(await newest('a.jpg')).toEqual(record)
  })

  it.each(['access_denied', 'image_missing', 'download_failed', 'object_archived', 'object_encrypted'])(
    'to read the image (%s) is not kept: it says nothing about the image and may be mended without touching it',
    async (code) => {
      const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
      await write(record)
      expect(await write(errorRecord('a.jpg', { code }, { bucket: photos.name, etag: record.etag }))).toBe(
        false,
      )
      expect(await newest('a.jpg')).toEqual(record)
    },
  )
})

describe('a record that cannot be written', () => {
  const refused = () => new StorageError('access_denied', 403, 'Could not read the image')

  it('because the source refuses access is skipped without an error', async () => {
    await write(recordOf('a.jpg', await upload('a.jpg', 'v1')))
    const closed: Bucket = { ...photos, head: () => Promise.reject(refused()) }
    expect(await write(recordOf('a.jpg', await upload('a.jpg', 'v2')), closed)).toBe(false)
  })

  it('because the source fails temporarily is an error, so that the chunk is retried', async () => {
    await write(recordOf('a.jpg', await upload('a.jpg', 'v1')))
    const failing = () =>
      Promise.reject(new StorageError('store_failed', 503, 'Slow down', { retryable: true }))
    const down: Bucket = { ...photos, head: failing }
    await expect(write(recordOf('a.jpg', await upload('a.jpg', 'v2')), down)).rejects.toMatchObject({
      retryable: true,
    })
  })

  it('because of persistent conflicts is an error', async () => {
    const etag = await upload('a.jpg', 'v1')
    let races = 0
    const contested: Bucket = {
      ...results,
      put: () => Promise.reject(new StorageError('precondition_failed', 412, `race ${++races}`)),
    }
    // Each attempt takes a second.
    const hurried = { now: () => races * 1_000, sleep: async () => {} }
    const given = { store: storeOf(photos), results: contested, clock: hurried, random: Math.random }
    await expect(writeRecord(given, recordOf('a.jpg', etag))).rejects.toMatchObject({
      code: 'precondition_failed',
      retryable: true,
    })
    expect(races).toBe(30)
  })

  it('because it was deleted meanwhile is created', async () => {
    const etag = await upload('a.jpg', 'v1')
    await write(recordOf('a.jpg', etag))
    let deleted = false
    const deleting: Bucket = {
      ...results,
      find: async (key) => {
        const found = await results.find(key)
        if (!deleted) await results.delete(key)
        deleted = true
        return found
      },
    }
    const record = recordOf('a.jpg', etag, { activationId: 'a2' })
    expect(await write(record, photos, deleting)).toBe(true)
    expect(await newest('a.jpg')).toEqual(record)
  })
})

describe('the error of a record', () => {
  it('of an image is that of the classifier', () => {
    expect(errorOf(new ImageError('image_too_large', 'It has 200 megapixels'))).toEqual({
      code: 'image_too_large',
      message: 'It has 200 megapixels',
      retryable: false,
      attempts: 1,
    })
  })

  it.each([
    ['object_not_found', 'image_missing'],
    ['object_archived', 'object_archived'],
    ['object_encrypted', 'object_encrypted'],
    ['access_denied', 'access_denied'],
    ['object_too_large', 'image_too_large'],
    ['bucket_not_found', 'download_failed'],
    ['store_failed', 'download_failed'],
  ] as const)('for the store’s %s is %s', (code, expected) => {
    const error = errorOf(
      new StorageError(code, 500, 'Could not read', { retryable: code === 'store_failed' }),
    )
    expect(error).toMatchObject({ code: expected, retryable: code === 'store_failed' })
  })

  it('for anything else is retryable', () => {
    expect(errorOf(new TypeError('x is not a function'))).toMatchObject({ code: 'internal', retryable: true })
    expect(errorOf('thrown text')).toMatchObject({ code: 'internal', message: 'thrown text' })
  })
})
