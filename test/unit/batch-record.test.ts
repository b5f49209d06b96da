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

/** A store in which the images come from the given bucket. */
const storeOf = (source: Bucket): Store => ({ bucket: () => source })

const upload = (key: string, content: string): Promise<string> => photos.put(key, content)

/** The record of one version of an image, downloaded just now. */
const recordOf = (key: string, etag: string | null, changes: Partial<ImageRecord> = {}): ImageRecord =>
  okRecord(key, { bucket: photos.name, etag, at: new Date().toISOString(), ...changes })

const write = (record: ImageRecord, source = photos, into = results): Promise<boolean> =>
  writeRecord({ store: storeOf(source), results: into, clock, random: Math.random }, record)

const newest = (key: string) => readRecord(results, model, { bucket: photos.name, key })

describe('the record of an image', () => {
  it('reads back as it was written', async () => {
    const record = recordOf('x/😀 a.jpg', await upload('x/😀 a.jpg', 'v1'))
    expect(await newest('x/😀 a.jpg')).toBeUndefined()
    expect(await write(record)).toBe(true)
    expect(await newest('x/😀 a.jpg')).toEqual(record)
  })

  it('is found for an image whose key leaves no room for a listed record', async () => {
    const key = 'k'.repeat(1024)
    const record = recordOf(key, await upload(key, 'v1'))
    expect(await write(record)).toBe(true)
    expect(await newest(key)).toEqual(record)
  })

  it('of each model lies apart', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await write(record)
    await write({ ...record, model: 'other@00000000' })
    expect(await newest('a.jpg')).toEqual(record)
  })

  it('is valid by its own schema before anything is known', () => {
    const at = Date.now()
    const made = { model, engine: 'wasm', activationId: 'a1', at }
    const record = initialRecord({ bucket: 'photos', key: 'a.jpg' }, made)
    expect(recordSchema.parse(record)).toMatchObject({ etag: null, size: null, status: 'error', labels: [] })
  })

  it('takes a single request where the image is new', async () => {
    const { bucket, requests } = counted(results)
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    expect(await write(record, photos, bucket)).toBe(true)
    expect(requests.map(({ method }) => method)).toEqual(['put'])
  })

  it('counts as written where only the answer was lost, and the request sent again', async () => {
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

  it('is written anew where nobody can read what is there', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await results.put(recordKey(model, record), '{"schema":"whisklens.record/0"}')
    expect(await newest('a.jpg')).toBeUndefined()
    expect(await write(record)).toBe(true)
    expect(await newest('a.jpg')).toEqual(record)
  })
})

describe('versions of an image', () => {
  it('follow each other: the record of the newer one replaces that of the older', async () => {
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

  it('keep an error of the newer version before a result of the older', async () => {
    const first = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    const etag = await upload('a.jpg', 'broken')
    const second = errorRecord('a.jpg', {}, { bucket: photos.name, etag, at: first.at })
    expect(await write(second)).toBe(true)
    expect(await write(first)).toBe(false)
    expect(await newest('a.jpg')).toEqual(second)
  })

  it('end with the current one, in races of many writers', async () => {
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

  it('never change back when the image is overwritten while its older record is being written', async () => {
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

  it('are compared with the source only when there is reason to doubt', async () => {
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
  it('is believed while the image is the same', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    advanceClock(minutes(11))
    const source = counted(photos)
    expect(await write(record, source.bucket)).toBe(true)
    expect(source.requests).toEqual([{ method: 'head', key: 'a.jpg' }])
  })

  it('is not believed once the image was overwritten', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await upload('a.jpg', 'v2')
    advanceClock(minutes(11))
    expect(await write(record)).toBe(false)
    expect(await newest('a.jpg')).toBeUndefined()
  })

  it('is not believed once the image was deleted', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await photos.delete('a.jpg')
    advanceClock(minutes(11))
    expect(await write(record)).toBe(false)
  })

  it('is not asked about when it was ten minutes ago', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    advanceClock(minutes(10))
    const source = counted(photos)
    expect(await write(record, source.bucket)).toBe(true)
    expect(source.requests).toEqual([])
  })
})

describe('a failure', () => {
  it('that may pass is not kept, so that the next batch tries the image again', async () => {
    const etag = await upload('a.jpg', 'v1')
    const changes = { bucket: photos.name, etag }
    expect(await write(errorRecord('a.jpg', { code: 'internal', retryable: true }, changes))).toBe(false)
    expect(await newest('a.jpg')).toBeUndefined()
  })

  it('that may pass leaves an earlier result alone', async () => {
    const record = recordOf('a.jpg', await upload('a.jpg', 'v1'))
    await write(record)
    await write(
      errorRecord('a.jpg', { code: 'lost', retryable: true }, { bucket: photos.name, etag: record.etag }),
    )
    expect(await newest('a.jpg')).toEqual(record)
  })

  it('of the image itself is kept', async () => {
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

  it('because the source refuses to tell the current version is left out, and no error', async () => {
    await write(recordOf('a.jpg', await upload('a.jpg', 'v1')))
    const closed: Bucket = { ...photos, head: () => Promise.reject(refused()) }
    expect(await write(recordOf('a.jpg', await upload('a.jpg', 'v2')), closed)).toBe(false)
  })

  it('because the source does not answer now is an error, so that the chunk is tried again', async () => {
    await write(recordOf('a.jpg', await upload('a.jpg', 'v1')))
    const failing = () =>
      Promise.reject(new StorageError('store_failed', 503, 'Slow down', { retryable: true }))
    const down: Bucket = { ...photos, head: failing }
    await expect(write(recordOf('a.jpg', await upload('a.jpg', 'v2')), down)).rejects.toMatchObject({
      retryable: true,
    })
  })

  it('because others keep changing it is given up after some races', async () => {
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

  it('over one that somebody deletes meanwhile is written as a new one', async () => {
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

describe('what an error record says', () => {
  it('of an image is what the classifier said', () => {
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
  ] as const)('of the store’s %s is %s', (code, expected) => {
    const error = errorOf(
      new StorageError(code, 500, 'Could not read', { retryable: code === 'store_failed' }),
    )
    expect(error).toMatchObject({ code: expected, retryable: code === 'store_failed' })
  })

  it('of anything else is that it may pass', () => {
    expect(errorOf(new TypeError('x is not a function'))).toMatchObject({ code: 'internal', retryable: true })
    expect(errorOf('thrown text')).toMatchObject({ code: 'internal', message: 'thrown text' })
  })
})
