import { randomBytes } from 'node:crypto'
import type { S3 } from 'ibm-cos-sdk'
import { codeOf } from '../helpers/async'
import { clientOf } from '../helpers/policy-cases'
import { type Received, sendRaw } from '../unit/object-store-client'
import type { Connection } from './object-store-cases'

const origin = 'https://gallery.example.com'

/** The rule in `docs/policies/cors.json`. */
const gallery: S3.CORSRule = {
  AllowedOrigins: [origin],
  AllowedMethods: ['GET', 'HEAD'],
  AllowedHeaders: ['Range'],
  ExposeHeaders: ['Content-Range', 'ETag'],
  MaxAgeSeconds: 3600,
}

const listOf = ({ headers }: Received, name: string): string[] =>
  String(headers[name] ?? '')
    .toLowerCase()
    .split(/, */)

/** CORS requirements on a store: it denies other origins, except those that a bucket's rules allow. */
export function corsContract(connect: () => Promise<Connection>): void {
  let s3: S3
  let endpoint: string
  const Bucket = `cors-${randomBytes(6).toString('hex')}`
  const path = `/${Bucket}/a.jpg`

  const setRules = (...CORSRules: S3.CORSRule[]) =>
    s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules } }).promise()

  const preflight = (asked: { origin?: string; method?: string; headers?: string }) =>
    sendRaw(endpoint, {
      method: 'OPTIONS',
      path,
      headers: {
        ...(asked.origin !== undefined && { origin: asked.origin }),
        ...(asked.method !== undefined && { 'access-control-request-method': asked.method }),
        ...(asked.headers !== undefined && { 'access-control-request-headers': asked.headers }),
      },
    })

  /** Reads the object by a presigned URL, like a page. */
  const read = (
    from: string | undefined,
    operation: 'getObject' | 'headObject' = 'getObject',
    Key = 'a.jpg',
  ) => {
    const { pathname, search } = new URL(s3.getSignedUrl(operation, { Bucket, Key, Expires: 60 }))
    return sendRaw(endpoint, {
      method: operation === 'getObject' ? 'GET' : 'HEAD',
      path: pathname,
      query: search.slice(1),
      headers: from === undefined ? {} : { origin: from },
    })
  }

  const allowed = ({ headers }: Received) => headers['access-control-allow-origin']

  beforeAll(async () => {
    const { region, accessKeyId, secretAccessKey, ...connection } = await connect()
    endpoint = connection.endpoint
    s3 = clientOf(endpoint, { region, accessKeyId, secretAccessKey })
    await s3.createBucket({ Bucket }).promise()
    await s3.putObject({ Bucket, Key: 'a.jpg', Body: 'image' }).promise()
  })
  afterEach(() => s3.deleteBucketCors({ Bucket }).promise())
  afterAll(async () => {
    await s3.deleteObject({ Bucket, Key: 'a.jpg' }).promise()
    await s3.deleteBucket({ Bucket }).promise()
  })

  it('are stored, replaced and deleted', async () => {
    const another = { ID: 'second', AllowedOrigins: ['*'], AllowedMethods: ['PUT'] }
    await setRules(gallery, another)
    const { CORSRules = [] } = await s3.getBucketCors({ Bucket }).promise()
    expect(CORSRules).toMatchObject([gallery, another])
    await setRules(another)
    expect((await s3.getBucketCors({ Bucket }).promise()).CORSRules).toHaveLength(1)
    await s3.deleteBucketCors({ Bucket }).promise()
    expect(await codeOf(s3.getBucketCors({ Bucket }).promise())).toBe('NoSuchCORSConfiguration')
  })

  it.each<[string, Partial<S3.CORSRule>, string]>([
    ['a method that is none', { AllowedMethods: ['PATCH'] }, 'InvalidRequest'],
    ['two wildcards', { AllowedOrigins: ['https://*.*.com'] }, 'InvalidRequest'],
    ['no origin', { AllowedOrigins: [] }, 'MalformedXML'],
    ['no method', { AllowedMethods: [] }, 'MalformedXML'],
  ])('are refused with %s', async (_, wrong, code) => {
    expect(await codeOf(setRules({ ...gallery, ...wrong }))).toBe(code)
    expect(await codeOf(s3.getBucketCors({ Bucket }).promise())).toBe('NoSuchCORSConfiguration')
  })

  it('are optional: without rules nothing is allowed, and images are still readable', async () => {
    const refused = await preflight({ origin, method: 'GET' })
    expect([refused.status, refused.code, allowed(refused)]).toEqual([403, 'AccessForbidden', undefined])
    const answer = await read(origin)
    expect([answer.status, answer.text, allowed(answer)]).toEqual([200, 'image', undefined])
  })

  it('let an allowed page read', async () => {
    await setRules(gallery)
    for (const operation of ['getObject', 'headObject'] as const) {
      const answer = await read(origin, operation)
      expect([answer.status, allowed(answer)]).toEqual([200, origin])
      expect(listOf(answer, 'access-control-expose-headers')).toEqual(
        expect.arrayContaining(['content-range', 'etag']),
      )
      expect(listOf(answer, 'vary')).toContain('origin')
    }
  })

  it('let an allowed page read errors', async () => {
    await setRules(gallery)
    const answer = await read(origin, 'getObject', 'missing')
    expect([answer.code, allowed(answer)]).toEqual(['NoSuchKey', origin])
  })

  it('send no headers to other pages, for other methods, or without an origin', async () => {
    await setRules({ ...gallery, AllowedMethods: ['PUT'] })
    expect(allowed(await read(origin))).toBeUndefined()
    await setRules(gallery)
    for (const other of [
      'https://other.example.com',
      'http://gallery.example.com',
      `${origin}:444`,
      undefined,
    ]) {
      const answer = await read(other)
      expect([answer.status, allowed(answer)]).toEqual([200, undefined])
    }
  })

  it('answer preflights with origin, methods, headers and max age', async () => {
    await setRules(gallery)
    const answer = await preflight({ origin, method: 'GET', headers: 'range' })
    expect([answer.status, allowed(answer)]).toEqual([200, origin])
    expect(listOf(answer, 'access-control-allow-methods')).toEqual(['get', 'head'])
    expect(listOf(answer, 'access-control-allow-headers')).toEqual(['range'])
    expect(answer.headers['access-control-max-age']).toBe('3600')
    expect(listOf(answer, 'vary')).toEqual(
      expect.arrayContaining(['origin', 'access-control-request-headers', 'access-control-request-method']),
    )
  })

  it('refuse preflights of other origins, methods and headers', async () => {
    await setRules(gallery)
    for (const asked of [
      { origin: 'https://other.example.com', method: 'GET' },
      { origin, method: 'PUT' },
      { origin, method: 'GET', headers: 'range, x-amz-acl' },
    ]) {
      const answer = await preflight(asked)
      expect([answer.status, answer.code, allowed(answer)]).toEqual([403, 'AccessForbidden', undefined])
    }
  })

  it('refuse invalid preflights', async () => {
    await setRules(gallery)
    for (const asked of [{ method: 'GET' }, { origin }, { origin, method: 'PATCH' }]) {
      const answer = await preflight(asked)
      expect([answer.status, answer.code]).toEqual([400, 'BadRequest'])
    }
  })

  it('support wildcards for all origins, parts of an origin, and headers', async () => {
    await setRules({ ...gallery, AllowedOrigins: ['https://*.example.com'], AllowedHeaders: ['x-amz-*'] })
    expect(allowed(await read(origin))).toBe(origin)
    expect(allowed(await read('https://example.com'))).toBeUndefined()
    expect((await preflight({ origin, method: 'GET', headers: 'X-Amz-Acl,x-amz-date' })).status).toBe(200)
    expect((await preflight({ origin, method: 'GET', headers: 'range' })).status).toBe(403)
    await setRules({ ...gallery, AllowedOrigins: ['*'] })
    expect(allowed(await read('http://anywhere'))).toBe('*')
    expect(allowed(await preflight({ origin: 'http://anywhere', method: 'HEAD' }))).toBe('*')
  })

  it('apply in order: the first matching rule wins', async () => {
    const writing = { ...gallery, AllowedMethods: ['PUT'], MaxAgeSeconds: 1 }
    await setRules(writing, gallery, { ...gallery, MaxAgeSeconds: 2 })
    expect((await preflight({ origin, method: 'GET' })).headers['access-control-max-age']).toBe('3600')
    expect((await preflight({ origin, method: 'PUT' })).headers['access-control-max-age']).toBe('1')
  })
}
