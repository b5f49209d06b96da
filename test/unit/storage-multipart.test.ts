import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { StorageError } from '../../src/errors'
import { openGrowing, type Written } from '../../src/storage/growing-object'
import { partBytes } from '../../src/storage/multipart'
import type { Bucket } from '../../src/storage/store'
import { counted, startTestStore, type TestStore } from './batch-fixtures'

let objects: TestStore
let bucket: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  bucket = await objects.newBucket()
})

const text = 'text/plain'

describe('an upload in parts', () => {
  it('is an object once it is completed, and not before', async () => {
    const [one, two] = [randomBytes(partBytes), randomBytes(10)]
    const upload = await bucket.beginUpload('a', text)
    const etags = [await bucket.uploadPart('a', upload, 1, one), await bucket.uploadPart('a', upload, 2, two)]
    expect(await bucket.head('a')).toBeUndefined()
    await bucket.completeUpload('a', upload, etags)
    expect((await bucket.get('a')).body.equals(Buffer.concat([one, two]))).toBe(true)
    expect(await objects.unfinishedUploads(bucket)).toEqual([])
  })

  it('may be completed again by whoever did not hear that it was', async () => {
    const upload = await bucket.beginUpload('a', text)
    const etags = [await bucket.uploadPart('a', upload, 1, Buffer.from('whole'))]
    await bucket.completeUpload('a', upload, etags)
    await bucket.completeUpload('a', upload, etags)
    expect((await bucket.get('a')).body.toString()).toBe('whole')
  })

  it('that is gone is not taken for completed when something else is there', async () => {
    const upload = await bucket.beginUpload('a', text)
    const etags = [await bucket.uploadPart('a', upload, 1, Buffer.from('mine'))]
    await bucket.abortUpload('a', upload)
    const gone = { code: 'upload_not_found', retryable: false }
    await expect(bucket.completeUpload('a', upload, etags)).rejects.toMatchObject(gone)
    await bucket.put('a', 'mine')
    await expect(bucket.completeUpload('a', upload, etags)).rejects.toMatchObject(gone)
    await expect(bucket.uploadPart('a', upload, 2, Buffer.from('x'))).rejects.toMatchObject(gone)
  })

  it('is listed by its key alone until it is completed or aborted', async () => {
    const uploads = [await bucket.beginUpload('a', text), await bucket.beginUpload('a', text)]
    await bucket.beginUpload('ab', text)
    expect((await bucket.listUploads('a')).sort()).toEqual([...uploads].sort())
    for (const upload of uploads) await bucket.abortUpload('a', upload)
    expect(await bucket.listUploads('a')).toEqual([])
  })

  it('may be aborted twice, and leaves nothing', async () => {
    const upload = await bucket.beginUpload('a', text)
    await bucket.uploadPart('a', upload, 1, Buffer.from('x'))
    expect(await objects.unfinishedUploads(bucket)).toEqual(['a'])
    await bucket.abortUpload('a', upload)
    await bucket.abortUpload('a', upload)
    expect(await objects.unfinishedUploads(bucket)).toEqual([])
  })
})

describe('an object that grows', () => {
  it('is one request as long as it is shorter than a part', async () => {
    const { bucket: watching, requests } = counted(bucket)
    const object = openGrowing(watching, 'a', text)
    for (let left = 0; left < 1000; left++) await object.append('😀é\n')
    expect(object.uploadId()).toBeUndefined()
    await object.finish()
    expect(requests.map(({ method }) => method)).toEqual(['put'])
    expect((await bucket.get('a')).body.toString()).toBe('😀é\n'.repeat(1000))
  })

  it('may stay empty', async () => {
    await openGrowing(bucket, 'a', text).finish()
    expect(await bucket.head('a')).toMatchObject({ size: 0 })
  })

  it('needs no part for a rest when it ends at the border of one', async () => {
    const object = openGrowing(bucket, 'a', text)
    await object.append('x'.repeat(2 * partBytes))
    await object.finish()
    expect(await bucket.head('a')).toMatchObject({ size: 2 * partBytes, etag: expect.stringMatching(/-2$/) })
  })

  it('is the same wherever its writing was interrupted, characters of several bytes included', async () => {
    const pieces = Array.from({ length: 13 }, (_, number) =>
      `${number}～😀é`.repeat(1000 * (60 + 7 * number)),
    )
    const whole = openGrowing(bucket, 'whole', text)
    for (const piece of pieces) await whole.append(piece)
    await whole.finish()
    const expected = await bucket.get('whole')
    expect(expected.body.equals(Buffer.from(pieces.join('')))).toBe(true)
    await fc.assert(
      fc.asyncProperty(fc.subarray(pieces.map((_, index) => index)), async (interruptions) => {
        let object = openGrowing(bucket, 'again', text)
        for (const [index, piece] of pieces.entries()) {
          if (interruptions.includes(index)) {
            const { upload, rest }: Written = await object.settle()
            object = openGrowing(bucket, 'again', text, structuredClone({ upload, rest: Buffer.from(rest) }))
          }
          await object.append(piece)
        }
        await object.finish()
        expect((await bucket.head('again'))?.etag).toBe(expected.etag)
      }),
      { numRuns: 3 },
    )
    expect(await objects.unfinishedUploads(bucket)).toEqual([])
  }, 180_000)

  it('fails when a part does, at the latest in the end, and then leaves nothing behind', async () => {
    const refused = () => Promise.reject(new StorageError('store_failed', 507, 'The disk is full'))
    const object = openGrowing({ ...bucket, uploadPart: refused }, 'a', text)
    await object.append('x'.repeat(partBytes))
    await expect(object.finish()).rejects.toMatchObject({ status: 507 })
    await object.abort()
    expect(await bucket.head('a')).toBeUndefined()
    expect(await objects.unfinishedUploads(bucket)).toEqual([])
  })
})
