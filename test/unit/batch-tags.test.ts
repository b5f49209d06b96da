import fc from 'fast-check'
import { mergeTags, tagsOfRecord } from '../../src/batch/records/tags'
import { aggregate, classifiedSchema } from '../../src/batch/running/aggregate'
import { StorageError } from '../../src/errors'
import type { ImageRecord } from '../../src/schema'
import type { Bucket, Store } from '../../src/storage/store'
import {
  closeBatch,
  contextOf,
  doneBatch,
  errorRecord,
  minutes,
  model,
  okRecord,
  startTestStore,
  type TestStore,
  tabby,
  textOf,
} from './batch-fixtures'
import { newRunner } from './batch-runner'

const ours = { 'whisklens:model': model, 'whisklens:label': 'tabby', 'whisklens:confidence': '0.7500' }

describe('the tags of a record', () => {
  it('are model, top label and confidence', () => {
    expect(tagsOfRecord(okRecord('a'))).toEqual(ours)
    expect(tagsOfRecord(okRecord('a', { labels: [] }))).toEqual({ 'whisklens:model': model })
  })

  it.each([
    ["jack-o'-lantern", 'jack-o-lantern'],
    ['crane (bird), large', 'crane bird large'],
    ['ünï 猫', 'ünï 猫'],
    ['tab\tand\nline', 'tabandline'],
    [`${'a'.repeat(255)}bc`, `${'a'.repeat(255)}b`],
    // Two code units of which only the first would fit.
    [`${'a'.repeat(255)}𠀀`, 'a'.repeat(255)],
    ['😀', ''],
  ])('reduce the label %j to what S3 accepts', (label, value) => {
    expect(tagsOfRecord(okRecord('a', { labels: [{ ...tabby, label }] }))).toMatchObject({
      'whisklens:label': value,
    })
  })

  it('are accepted by S3 for any label, and keep all other tags', () => {
    const value = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u
    const others = fc.dictionary(
      fc.string().filter((key) => !key.startsWith('whisklens:')),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), others, (label, there) => {
        const record = okRecord('a', { labels: [{ ...tabby, label }] })
        const merged = mergeTags({ ...there, 'whisklens:label': 'old', 'whisklens:gone': 'old' }, record)
        expect(merged).toEqual({ ...there, ...tagsOfRecord(record) })
        for (const text of Object.values(tagsOfRecord(record))) {
          expect(text).toMatch(value)
          expect(text.length).toBeLessThanOrEqual(256)
        }
      }),
    )
  })
})

describe('an image of a batch with tag', () => {
  let objects: TestStore
  let photos: Bucket
  let results: Bucket
  let records: ImageRecord[]

  beforeAll(async () => {
    objects = await startTestStore()
  })
  afterAll(() => objects.close())
  beforeEach(async () => {
    photos = await objects.newBucket()
    results = await objects.newBucket()
    records = []
    for (const key of ['a.jpg', 'ü b+c.jpg'])
      records.push(okRecord(key, { bucket: photos.name, etag: await photos.put(key, key), size: 5 }))
  })

  const part = (more: object = {}) => ({
    start: 0,
    end: 2,
    chunk: { start: 0, end: 2, epoch: 1 },
    model: 'tiny',
    by: 1,
    tag: true,
    ...more,
  })

  async function take(
    changes: { store?: Store; deadline?: number; tag?: boolean } = {},
  ): Promise<ImageRecord[]> {
    const { store = objects.store, deadline, tag = true } = changes
    const context = contextOf(store, results)
    if (deadline !== undefined) context.activation.deadline = context.clock.now() + deadline
    const message = { batch: 'b1', part: part({ tag: tag || undefined }), images: records }
    const { records: counted } = await aggregate(
      classifiedSchema.parse(JSON.parse(JSON.stringify(message))),
      context,
    )
    expect(counted).toEqual({ ok: 2, error: 0 })
    const summary = await closeBatch(objects.store, results, doneBatch(photos.name, 2))
    expect(summary.totals).toMatchObject({ ok: 2, error: 0, pending: 0 })
    const lines = ((await textOf(results, 'batches/b1/results.jsonl')) ?? '').split('\n').filter(Boolean)
    summaryTags = summary.tags
    return lines.map((line) => JSON.parse(line))
  }
  let summaryTags: unknown

  it('gets label, confidence and model as tags beside others', async () => {
    await photos.putTags('a.jpg', { project: 'x', 'whisklens:label': 'old' })
    const before = await photos.head('a.jpg')
    expect(await take()).toMatchObject([{ tagging: { status: 'ok' } }, { tagging: { status: 'ok' } }])
    expect(await photos.tags('a.jpg')).toEqual({ project: 'x', ...ours })
    expect(await photos.tags('ü b+c.jpg')).toEqual(ours)
    expect(await photos.head('a.jpg')).toEqual(before)
    expect(summaryTags).toEqual({ written: 2, errors: {} })
  })

  it('is not tagged unless requested, and its record does not mention tags', async () => {
    const [record] = await take({ tag: false })
    expect(record).not.toHaveProperty('tagging')
    expect(await photos.tags('a.jpg')).toEqual({})
    expect(summaryTags).toBeUndefined()
  })

  it('is written once: a repetition finds its tags up to date', async () => {
    await take()
    const writes: string[] = []
    const store: Store = {
      bucket: (name) => ({ ...objects.store.bucket(name), putTags: async (key) => void writes.push(key) }),
    }
    await take({ store })
    expect(writes).toEqual([])
  })

  it('keeps all other tags when there is no room, and its record has the error', async () => {
    const others = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`k${n}`, `v${n}`]))
    await photos.putTags('a.jpg', others)
    expect(await take()).toMatchObject([
      { status: 'ok', labels: [tabby], tagging: { status: 'error', code: 'too_many_tags' } },
      { tagging: { status: 'ok' } },
    ])
    expect(await photos.tags('a.jpg')).toEqual(others)
    expect(summaryTags).toEqual({ written: 1, errors: { too_many_tags: 1 } })
  })

  it('is not tagged if it was replaced since it was classified', async () => {
    await photos.put('a.jpg', 'another')
    expect(await take()).toMatchObject([
      { tagging: { code: 'image_changed' } },
      { tagging: { status: 'ok' } },
    ])
    expect(await photos.tags('a.jpg')).toEqual({})
  })

  it.each(['tags', 'putTags'] as const)('keeps its record if the store refuses %s', async (method) => {
    const refuse = async () => Promise.reject(new StorageError('access_denied', 403, 'Access Denied'))
    const store: Store = { bucket: (name) => ({ ...objects.store.bucket(name), [method]: refuse }) }
    expect(await take({ store })).toMatchObject([
      {
        status: 'ok',
        labels: [tabby],
        tagging: { status: 'error', code: 'access_denied', message: 'Access Denied' },
      },
      { tagging: { code: 'access_denied' } },
    ])
    expect(summaryTags).toEqual({ written: 0, errors: { access_denied: 2 } })
  })

  it('keeps its record if no time is left for tags', async () => {
    expect(await take({ deadline: minutes(0.5) })).toMatchObject([
      { status: 'ok', tagging: { code: 'tagging_late' } },
      { tagging: { code: 'tagging_late' } },
    ])
  })

  it('in error gets no tags', async () => {
    const failed = errorRecord('a.jpg', {}, { bucket: photos.name, etag: records[0]?.etag ?? null })
    const message = { batch: 'b1', part: part({ end: 1 }), images: [failed] }
    await aggregate(classifiedSchema.parse(message), contextOf(objects.store, results))
    expect(await photos.tags('a.jpg')).toEqual({})
  })

  it('is tagged, with its EXIF option kept, by each piece, its rest and a retry', async () => {
    const runner = await newRunner(objects)
    await runner.photos.put('a.jpg', 'x')
    await runner.start({ batch: 'b1', tag: 'true', exif: 'position' })
    await runner.photos.put('b.jpg', 'x')
    await runner.start({ batch: 'b1', retry: true })
    await runner.start({ batch: 'b2' })
    const messages = runner.invoked.filter(({ name }) => name.endsWith('/classify-images'))
    expect(messages.map(({ params }) => params)).toMatchObject([
      { tag: true, exif: 'position' },
      { tag: true, exif: 'position' },
      expect.not.objectContaining({ tag: true }),
    ])
    const context = contextOf(objects.store, results)
    let rest: object | undefined
    context.openwhisk = {
      ...context.openwhisk,
      invoke: async (name, params) => {
        if (name.endsWith('classify-images')) rest = params
        return 'a1'
      },
    }
    const message = { batch: 'b3', part: part({ end: 3 }), images: records }
    await aggregate(classifiedSchema.parse(message), context)
    expect(rest).toMatchObject({ start: 2, end: 3, tag: true })
  })
})
