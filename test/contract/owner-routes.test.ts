import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { version } from '../../package.json'
import { maxImageBytes } from '../../src/image-files'
import { readSecrets, type Secrets } from '../../src/local/state'
import { partBytes } from '../../src/storage/multipart'
import type { FiredAnswer, UploadAnswer } from '../../src/web/gallery/contract'
import { type Clients, clientsOf } from '../helpers/clients'
import { sample } from '../helpers/images'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
} from '../helpers/local-mode'

/* What the gallery's owner may do in the local mode, and that others may not, over HTTP against the running system. */

let dataDir: string
let local: RunningLocal
let clients: Clients
let secrets: Secrets

beforeAll(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  secrets = await readSecrets(dataDir)
})
afterAll(async () => {
  await local.stop()
  await removeDataDir(dataDir)
})

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })

interface Asked {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** Sends any headers: `fetch` would set Host and Origin itself. */
async function ask({ method = 'GET', path = '/local', headers = {}, body }: Asked) {
  const { hostname, port } = new URL(local.connection.apiHost)
  const sent = request({ hostname, port, method, path, headers })
  sent.end(body)
  const [answer] = await once(sent, 'response')
  let text = ''
  for await (const piece of answer) text += piece
  return { status: answer.statusCode as number, headers: answer.headers, text }
}

const asOwner = (asked: Asked) =>
  ask({ ...asked, headers: { ...bearer(secrets.ownerSecret), ...asked.headers } })

const put = (name: string, body: Buffer, headers = {}) =>
  asOwner({ method: 'PUT', path: `/local/images/${name}`, body, headers })

const post = (path: string, body?: object) =>
  asOwner({
    method: 'POST',
    path,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })

const imageKeys = async (prefix = ''): Promise<string[]> => {
  const { Contents = [] } = await clients.store.listObjectsV2({ Bucket: 'images', Prefix: prefix }).promise()
  return Contents.map(({ Key = '' }) => Key)
}
const unfinished = async () =>
  (await clients.store.listMultipartUploads({ Bucket: 'images' }).promise()).Uploads ?? []

describe('the gallery’s URL', () => {
  it('has a separate secret in its fragment, stored like the others', async () => {
    const { gallery, auth, webToken } = local.connection
    const { hash, searchParams } = new URL(gallery)
    expect(hash).toBe(`#owner=${secrets.ownerSecret}`)
    expect(searchParams.get('token')).toBe(webToken)
    expect(Buffer.from(secrets.ownerSecret, 'base64url')).toHaveLength(32)
    expect(auth).not.toContain(secrets.ownerSecret)
    for (const file of ['secrets.json', 'connection.json'])
      expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600)
  })
})

describe('the owner’s routes refuse', () => {
  it('requests without the secret, without doing anything', async () => {
    const { resultsToken, auth, accessKeyId, secretAccessKey, ownerSecret } = secrets
    const wrong: Record<string, string>[] = [
      {},
      bearer(''),
      bearer(resultsToken),
      bearer(secretAccessKey),
      bearer(`${ownerSecret}x`),
      bearer(ownerSecret.slice(0, -1)),
      { authorization: ownerSecret },
      { authorization: `Basic ${Buffer.from(auth).toString('base64')}` },
      { authorization: `Basic ${Buffer.from(`${accessKeyId}:${ownerSecret}`).toString('base64')}` },
      { cookie: `owner=${ownerSecret}` },
    ]
    const before = await clients.ow.activations.list({ count: true } as never)
    const routes: Asked[] = [
      { path: '/local' },
      { path: `/local?owner=${ownerSecret}&token=${resultsToken}` },
      { path: '/local/unknown' },
      { method: 'PUT', path: '/local/images/stolen.jpg', body: sample('coffee') },
      { method: 'POST', path: '/local/batches', body: '{}' },
      { method: 'POST', path: '/local/batches/x/retry' },
      { method: 'POST', path: '/local/batches/x/cancel' },
    ]
    for (const headers of wrong) {
      for (const route of routes) {
        const { status, text } = await ask({
          ...route,
          headers: { 'content-type': 'application/json', ...headers },
        })
        expect({ ...route, headers, status }).toEqual({ ...route, headers, status: 401 })
        expect(JSON.parse(text)).toEqual({ error: expect.any(String), code: expect.any(String) })
        expect(text).not.toContain(ownerSecret)
      }
    }
    expect(await imageKeys()).toEqual([])
    expect(await clients.ow.activations.list({ count: true } as never)).toEqual(before)
  })

  it('a page of another origin, and DNS rebinding', async () => {
    const { host, port } = new URL(local.connection.apiHost)
    const put = { method: 'PUT', path: '/local/images/foreign.jpg', body: sample('coffee') }
    const refused: Record<string, string>[] = [
      { host, origin: 'https://evil.example' },
      { host, origin: 'null' },
      { host, origin: `http://127.0.0.1:${Number(port) + 1}` },
      { host, origin: `https://${host}` },
      { host: `evil.example:${port}`, origin: `http://evil.example:${port}` },
      { host: `evil.example:${port}` },
      { host: `127.0.0.1.evil.example:${port}` },
      { host: `localhost.evil.example:${port}` },
    ]
    for (const headers of refused) {
      const { status, headers: answered } = await asOwner({ ...put, headers })
      expect({ headers, status }).toEqual({ headers, status: 403 })
      expect(answered['access-control-allow-origin']).toBeUndefined()
    }
    expect(await imageKeys()).toEqual([])
    for (const name of [host, `localhost:${port}`])
      expect((await asOwner({ headers: { host: name, origin: `http://${name}` } })).status).toBe(200)
  })

  it('the preflight of any other page', async () => {
    const origin = 'https://evil.example'
    const headers = { origin, 'access-control-request-method': 'PUT' }
    const answer = await ask({ method: 'OPTIONS', path: '/local/images/a.jpg', headers })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined])
  })

  it('an image name that is empty, too long, or leads elsewhere', async () => {
    const names = [
      '',
      '%2e%2e%2fsecrets.jpg',
      'a/..%2fb.jpg',
      'a%2f%2e%2fb.jpg',
      '%2fetc%2fpasswd',
      'folder%2f',
      'a%2f%2fb.jpg',
      '%',
      '%ff.jpg',
      'x'.repeat(1025),
    ]
    for (const name of names) {
      const { status } = await put(name, Buffer.from('x'))
      expect({ name, status }).toEqual({ name, status: 400 })
    }
    // Resolving the path would lead to another resource.
    expect((await put('../../metrics', Buffer.from('x'))).status).toBe(405)
    expect(await imageKeys()).toEqual([])
  })

  it('a batch that is missing or was not fired, and unknown options', async () => {
    const status = async (path: string, body?: object) => (await post(path, body)).status
    expect(await status('/local/batches/nowhere/retry')).toBe(404)
    expect(await status('/local/batches/nowhere/cancel')).toBe(404)
    expect(await status('/local/batches/uploads-2026-11-29/retry')).toBe(400)
    expect(await status('/local/batches/..%2f..%2fx/retry')).toBe(400)
    expect(await status('/local/batches/a/retry', { force: true })).toBe(400)
    expect(await status('/local/batches', { prefixes: 'photos/' })).toBe(400)
    expect(await status('/local/batches', { cancel: true })).toBe(400)
    expect(await status('/local/batches', { s3Endpoint: 'http://127.0.0.1:9' })).toBe(400)
    expect(await status('/local/batches', { batch: 'uploads-2026-11-29' })).toBe(400)
    expect(await status('/local/batches', { include: '[a' })).toBe(400)
    const form = { 'content-type': 'text/plain' }
    const plain = await asOwner({ method: 'POST', path: '/local/batches', body: '{}', headers: form })
    expect(plain.status).toBe(415)
    expect(await clients.keys('batches/')).toEqual([])
  })
})

describe('an image', () => {
  it('that is uploaded is in the bucket, and classified like any upload', async () => {
    const { status, text } = await put('coffee.jpg', sample('coffee'))
    const answer: UploadAnswer = JSON.parse(text)
    expect([status, answer]).toEqual([201, { bucket: 'images', key: 'photos/coffee.jpg' }])
    const object = await clients.store.getObject({ Bucket: 'images', Key: answer.key }).promise()
    expect([object.ContentType, (object.Body as Buffer).equals(sample('coffee'))]).toEqual([
      'image/jpeg',
      true,
    ])
    await eventually(async () =>
      (await clients.keys('images/')).some((key) => key.endsWith('/images/photos/coffee.jpg')),
    )
  })

  it.each([
    ['holiday/a%20b%2Bc%2325.PNG', 'holiday/a b+c#25.PNG', 'image/png'],
    ['%C3%BCn%C3%AF%F0%9F%98%80.webp', 'photos/ünï😀.webp', 'image/webp'],
    ['a%00b%0Ac%7F%C2%85.jpg', 'photos/a_b_c__.jpg', 'image/jpeg'],
    ['page.html', 'photos/page.html', 'application/octet-stream'],
    ['%3Cimg%20src=x%3E', 'photos/<img src=x>', 'application/octet-stream'],
  ])('named %s has the key %s', async (name, key, type) => {
    expect(JSON.parse((await put(name, Buffer.from('x'))).text).key).toBe(key)
    const { ContentType } = await clients.store.headObject({ Bucket: 'images', Key: key }).promise()
    expect(ContentType).toBe(type)
    await clients.store.deleteObject({ Bucket: 'images', Key: key }).promise()
  })

  it('larger than a part arrives complete, two at a time', async () => {
    const bodies = ['one', 'two'].map((name, index) => ({
      name: `large/${name}.bin`,
      body: Buffer.alloc(2 * partBytes + index + 1, name),
    }))
    await Promise.all(bodies.map(({ name, body }) => put(name, body)))
    for (const { name, body } of bodies) {
      const { Body } = await clients.store.getObject({ Bucket: 'images', Key: name }).promise()
      expect((Body as Buffer).equals(body)).toBe(true)
    }
    expect(await unfinished()).toEqual([])
  })

  it('that is too large is refused, by its length or while it arrives, and leaves nothing', async () => {
    const { hostname, port } = new URL(local.connection.apiHost)
    const piece = Buffer.alloc(1024 * 1024)
    const send = async (headers: Record<string, string | number>, pieces: number) => {
      const path = '/local/images/huge/a.jpg'
      const all = { ...bearer(secrets.ownerSecret), ...headers }
      const sent = request({ hostname, port, method: 'PUT', path, headers: all })
      // The host may answer and close the connection before it has read the body.
      sent.on('error', () => {})
      const answered = once(sent, 'response')
      sent.flushHeaders()
      for (let at = 0; at < pieces && !sent.destroyed; at++)
        if (!sent.write(piece)) await Promise.race([once(sent, 'drain'), answered])
      const [answer] = await answered
      answer.resume()
      sent.destroy()
      return answer.statusCode
    }
    expect(await send({ 'content-length': maxImageBytes + 1 }, 0)).toBe(413)
    expect(await send({ 'transfer-encoding': 'chunked' }, maxImageBytes / piece.length + 1)).toBe(413)
    await eventually(async () => (await unfinished()).length === 0)
    expect(await imageKeys('huge/')).toEqual([])
  })

  it.each([1000, partBytes + 1000, 3 * partBytes])(
    'whose upload is interrupted after %d bytes leaves nothing',
    async (bytes) => {
      const { hostname, port } = new URL(local.connection.apiHost)
      const headers = { ...bearer(secrets.ownerSecret), 'content-length': 4 * partBytes }
      const sent = request({ hostname, port, method: 'PUT', path: '/local/images/broken/a.jpg', headers })
      sent.on('error', () => {})
      sent.write(Buffer.alloc(bytes))
      // A part is being uploaded, or about to be.
      if (bytes > partBytes) await eventually(async () => (await unfinished()).length === 1)
      else await sleep(100)
      sent.destroy()
      await eventually(async () => (await unfinished()).length === 0)
      expect(await imageKeys('broken/')).toEqual([])
    },
  )
})

describe('a batch', () => {
  it('is fired, fired again and retried, by its id', async () => {
    await put('fired/espresso.jpg', sample('coffee'))
    const { status, text } = await post('/local/batches', { prefix: 'fired/' })
    expect(status).toBe(202)
    const { batch }: FiredAnswer = JSON.parse(text)
    expect(batch).toMatch(/^\d{8}-\d{6}-[0-9a-f]{6}$/)
    expect((await clients.completed(batch)).totals.planned).toBeGreaterThanOrEqual(0)
    const again = await post('/local/batches', { prefix: 'fired/', batch, force: true })
    expect([again.status, JSON.parse(again.text)]).toEqual([202, { batch }])
    await eventually(async () => (await clients.outcomes(batch)).length === 1)
    await clients.completed(batch)
    for (const verb of ['retry', 'cancel']) {
      const answer = await post(`/local/batches/${batch}/${verb}`)
      expect([answer.status, JSON.parse(answer.text)]).toEqual([202, { batch }])
    }
  })
})

it('The capabilities are reported to the owner', async () => {
  const { status, text, headers } = await asOwner({})
  expect([status, headers['cache-control']]).toEqual([200, 'no-store'])
  expect(JSON.parse(text)).toEqual({
    version,
    imagesBucket: 'images',
    prefix: 'photos/',
    maxImageBytes,
    limits: { invocationsPerMinute: 6000, concurrentInvocations: 200, firesPerMinute: 6000 },
  })
})

it('The secret opens nothing else, and is not logged', async () => {
  const { apiHost } = local.connection
  const [api, web] = [`${apiHost}/api/v1/namespaces`, `${apiHost}/api/v1/web/guest/whisklens`]
  for (const url of [
    api,
    `${web}/results`,
    `${web}/results?token=${secrets.ownerSecret}`,
    `${web}/bucket-events`,
  ]) {
    const method = url.endsWith('events') ? 'POST' : 'GET'
    expect((await fetch(url, { method, headers: bearer(secrets.ownerSecret) })).status).toBe(401)
  }
  expect(local.stderr()).not.toContain(secrets.ownerSecret)
  for (const { activationId } of await clients.ow.activations.list({ limit: 100 })) {
    const activation = JSON.stringify(await clients.ow.activations.get({ name: activationId }))
    expect(activation).not.toContain(secrets.ownerSecret)
  }
  expect(await readFile(join(dataDir, 'wskprops'), 'utf8')).not.toContain(secrets.ownerSecret)
})
