import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { VirtualClock } from '../../bench/simulation/clock'
import type { Contents } from '../../bench/simulation/contents'
import { Files } from '../../bench/simulation/files'
import { imagesContents, keyOf } from '../../bench/simulation/images'
import { sumOf } from '../../bench/simulation/meter'
import { Process } from '../../bench/simulation/process'
import { recordsContents } from '../../bench/simulation/records'
import { buckets, linesOf, type Storage, storeOf } from '../../bench/simulation/store'
import { Uploads } from '../../bench/simulation/uploads'
import { collect, okRecord } from './batch-fixtures'

const root = 'images/tiny@00c0ffee/images/'
const delays = { request: 10, megabyte: 100 }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-simulation-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function storageOf(images: number): Storage {
  const files = new Files(folder)
  return {
    clock: new VirtualClock(1_000_000),
    delays,
    requests: {},
    images: imagesContents(images, '2026-11-21T08:00:00.000Z'),
    records: recordsContents(images, root, (image) => okRecord(keyOf(image))),
    files,
    uploads: new Uploads(files),
  }
}

/** Does something with the buckets, in virtual time. */
async function work<T>(storage: Storage, task: (buckets: ReturnType<typeof bucketsOf>) => Promise<T>) {
  return (await storage.clock.run(task(bucketsOf(storage)))) as T
}

function bucketsOf(storage: Storage) {
  const store = storeOf(storage, new Process())
  return { images: store.bucket(buckets.images), results: store.bucket(buckets.results) }
}

/** What a page must hold, found by looking at every key. */
const naive = (keys: string[], prefix: string, after: string, count: number): string[] =>
  keys
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort()
    .slice(0, count)

const pageOf = (contents: Contents, prefix: string, after: string, count: number): string[] =>
  contents.page(prefix, after, count).map(({ key }) => key)

describe('a page of a listing', () => {
  const image = fc.nat(30).map(keyOf)
  const prefix = fc.oneof(fc.constantFrom('', 'photos/', 'photos/000001', 'other/'), image)
  const after = fc.oneof(fc.constantFrom('', 'photos/', 'z'), image)

  it('of images holds what a look at every key finds', () => {
    fc.assert(
      fc.property(fc.nat(30), prefix, after, fc.integer({ min: 1, max: 40 }), (total, ...asked) => {
        const keys = Array.from({ length: total }, (_, number) => keyOf(number))
        const contents = imagesContents(total, '2026-11-21T08:00:00.000Z')
        expect(pageOf(contents, ...asked)).toEqual(naive(keys, ...asked))
      }),
    )
  })

  it('of records holds those that were written', () => {
    const written = fc.uniqueArray(fc.nat(29))
    fc.assert(
      fc.property(
        written,
        prefix,
        after,
        fc.integer({ min: 1, max: 40 }),
        (numbers, under, behind, count) => {
          const contents = recordsContents(30, root, (number) => okRecord(keyOf(number)))
          const keys = numbers.map((number) => root + keyOf(number))
          for (const key of keys) contents.put(key, Buffer.from('{}'))
          const asked = [root + under, root + behind, count] as const
          expect(pageOf(contents, ...asked)).toEqual(naive(keys, ...asked))
        },
      ),
    )
  })

  it('of files holds what is there', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 4 })
    const changes = fc.array(fc.record({ key, isDelete: fc.boolean() }))
    fc.assert(
      fc.property(changes, key, key, fc.integer({ min: 1, max: 40 }), (all, ...asked) => {
        const files = new Files(folder)
        const there = new Set<string>()
        for (const { key, isDelete } of all) {
          if (isDelete) files.delete(key)
          else files.put(key, Buffer.from(key))
          there[isDelete ? 'delete' : 'add'](key)
        }
        expect(pageOf(files, ...asked)).toEqual(naive([...there], ...asked))
      }),
    )
  })
})

describe('the scripted store', () => {
  it('counts one request a page, and takes the time of each', async () => {
    const storage = storageOf(2500)
    const before = storage.clock.now
    const objects = await work(storage, ({ images }) => collect(images.list({ prefix: 'photos/' })))
    expect(objects.map(({ key }) => key)).toEqual(Array.from({ length: 2500 }, (_, number) => keyOf(number)))
    expect(storage.requests).toEqual({ images: { LIST: 3 } })
    expect(storage.clock.now - before).toBe(3 * delays.request)
  })

  it('asks for no page behind a full last one', async () => {
    const storage = storageOf(2000)
    await work(storage, ({ images }) => collect(images.list()))
    expect(sumOf(storage.requests, { kind: 'LIST' })).toBe(2)
  })

  it('takes longer for more bytes', async () => {
    const storage = storageOf(1)
    const before = storage.clock.now
    await work(storage, ({ results }) => results.put('batches/b1/plan.json', Buffer.alloc(2_000_000)))
    expect(storage.clock.now - before).toBe(delays.request + 2 * delays.megabyte)
  })

  it('keeps to preconditions', async () => {
    const storage = storageOf(1)
    await work(storage, async ({ results }) => {
      const first = await results.put('a', 'one', { replaces: null })
      await expect(results.put('a', 'two', { replaces: null })).rejects.toThrow(/another/)
      const second = await results.put('a', 'two', { replaces: first })
      expect(second).not.toBe(first)
      await expect(results.put('a', 'three', { replaces: first })).rejects.toMatchObject({
        code: 'precondition_failed',
      })
      expect((await results.get('a')).body.toString()).toBe('two')
    })
  })

  it('gives records back with the etag they were written with', async () => {
    const storage = storageOf(3)
    await work(storage, async ({ results }) => {
      const etag = await results.put(root + keyOf(1), '{}', { replaces: null })
      expect(await results.head(root + keyOf(0))).toBeUndefined()
      const found = await results.get(root + keyOf(1))
      expect(found.etag).toBe(etag)
      expect(JSON.parse(found.body.toString())).toMatchObject({ key: keyOf(1), status: 'ok' })
    })
  })

  it('makes an object of the parts of an upload, and leaves no file behind', async () => {
    const storage = storageOf(1)
    const text = `${'é'.repeat(5000)}\n${'x'.repeat(5000)}\n`
    await work(storage, async ({ results }) => {
      const upload = await results.beginUpload('big', 'text/plain')
      const other = await results.beginUpload('big', 'text/plain')
      const bytes = Buffer.from(text)
      const etags = [
        await results.uploadPart('big', upload, 1, Buffer.from('is replaced')),
        await results.uploadPart('big', upload, 1, bytes.subarray(0, 4999)),
        await results.uploadPart('big', upload, 2, bytes.subarray(4999)),
      ]
      await results.uploadPart('big', other, 1, bytes)
      await results.abortUpload('big', other)
      await results.completeUpload('big', upload, etags.slice(1))
      await expect(results.uploadPart('big', upload, 3, bytes)).rejects.toMatchObject({
        code: 'upload_not_found',
      })
    })
    expect(storage.files.body('big').toString()).toBe(text)
    expect([...linesOf(storage.files, 'big')]).toEqual(text.trimEnd().split('\n'))
    expect(readdirSync(folder)).toHaveLength(2)
    storage.files.delete('big')
    expect(readdirSync(folder)).toEqual([])
  })

  it('never answers a process that was killed', async () => {
    const storage = storageOf(1)
    const process = new Process()
    const { clock } = storage
    let isAnswered = false
    const answer = () => {
      isAnswered = true
    }
    storeOf(storage, process).bucket(buckets.images).head(keyOf(0)).then(answer, answer)
    process.kill()
    await clock.run(clock.sleep(1000))
    expect(isAnswered).toBe(false)
  })
})
