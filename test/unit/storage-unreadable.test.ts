import type { ServerResponse } from 'node:http'
import { lookUp, page } from '../../src/batch/planning/look-up'
import { errorOf } from '../../src/batch/records/record'
import { failureOf } from '../../src/batch/running/failure'
import { hintOf } from '../../src/errors'
import { type Bucket, openStore } from '../../src/storage/store'
import { passOn, startStoreProxy } from '../helpers/store-proxy'
import { errorRecord, startTestStore, type TestStore } from './batch-fixtures'

/*
 * Objects that a store refuses to return: in archive storage classes, or encrypted with a customer-provided key. The test
 * stores support neither, so a proxy answers like S3.
 */

let objects: TestStore
let bucket: Bucket
let close: () => Promise<void>
let asked: string[]

const refuse = (outgoing: ServerResponse, status: number, code: string, message: string, more = ''): void => {
  outgoing.writeHead(status, { 'content-type': 'application/xml' })
  outgoing.end(`<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`)
}

beforeAll(async () => {
  objects = await startTestStore()
  const proxy = await startStoreProxy(
    objects.settings.s3Endpoint ?? '',
    async ({ method, url = '' }, outgoing, onward) => {
      asked.push(`${method} ${url}`)
      const isHead = method === 'HEAD'
      if (method === 'GET' && url.endsWith('/deep.jpg'))
        return refuse(
          outgoing,
          403,
          'InvalidObjectState',
          "The operation is not valid for the object's storage class",
          '<StorageClass>DEEP_ARCHIVE</StorageClass>',
        )
      if ((method === 'GET' || isHead) && url.endsWith('/own-key.jpg')) {
        if (isHead) return void outgoing.writeHead(400).end()
        return refuse(
          outgoing,
          400,
          'InvalidRequest',
          'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
        )
      }
      passOn(await onward(), outgoing)
    },
  )
  close = proxy.close
  bucket = openStore({ ...objects.settings, s3Endpoint: proxy.endpoint }).bucket(
    (await objects.newBucket()).name,
  )
})
afterAll(async () => {
  await close()
  await objects.close()
})
beforeEach(() => {
  asked = []
})

describe('an unreadable object', () => {
  it.each([
    ['deep.jpg', 'object_archived', 403, /restore-object/],
    ['own-key.jpg', 'object_encrypted', 400, /SSE-S3 or SSE-KMS/],
  ])('%s is %s, not retried, with what to do', async (key, code, status, hint) => {
    await bucket.put(key, 'v1')
    asked = []
    const thrown = await bucket.get(key).catch((error) => error)
    expect(thrown).toMatchObject({ code, status, retryable: false })
    expect(hintOf(thrown)).toMatch(hint)
    expect(asked).toEqual([`GET /${bucket.name}/${key}`])
    expect(errorOf(thrown)).toMatchObject({ code, retryable: false })
  })

  it('is found by a listing of its name', async () => {
    for (const key of ['a.jpg', 'deep.jpg', 'own-key.jpg']) await bucket.put(key, 'v1')
    const before = { ...page }
    Object.assign(page, { length: 1, min: 1_000 } satisfies typeof page)
    try {
      const found = await lookUp(bucket, ['a.jpg', 'deep.jpg', 'gone.jpg', 'own-key.jpg'])
      expect([...found.keys()].sort()).toEqual(['a.jpg', 'deep.jpg', 'own-key.jpg'])
    } finally {
      Object.assign(page, before)
    }
  })
})

describe('images that all fail alike', () => {
  const all = (code: string) => ['a', 'b', 'c', 'd', 'e'].map((key) => errorRecord(key, { code }))

  it.each(['image_missing', 'object_archived', 'object_encrypted'])('as %s fail separately', async (code) => {
    expect(await failureOf(all(code))).toBeUndefined()
  })

  it('as access_denied fail for one reason', async () => {
    expect(await failureOf(all('access_denied'))).toMatchObject({
      failure: { code: 'access_denied' },
      done: 0,
    })
  })
})
