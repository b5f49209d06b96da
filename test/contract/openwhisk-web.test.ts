import { rmSync } from 'node:fs'
import type { Dict } from 'openwhisk'
import type { ApiHost } from '../../src/local/host/server'
import { auth, buildRuntime, clientOf, startTestHost, temporaryFolder } from './api-host'

const folder = temporaryFolder()
let host: ApiHost
let web: string

const echo = 'const main = (params) => ({ body: params })'
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3, 255])

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
  web = `${host.url}/api/v1/web/guest`
  await clientOf(host).packages.update({ name: 'pkg' })
  await deploy('echo', echo)
  await deploy('raw', echo, { 'raw-http': true })
  // Returns the JSON in the query's `answer`.
  await deploy('say', 'const main = ({ answer }) => JSON.parse(answer)')
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

const deploy = (name: string, action: string, annotations: Dict = {}, params: Dict = {}) =>
  clientOf(host).actions.update({
    name,
    action,
    params,
    annotations: { 'web-export': true, final: true, ...annotations },
  } as never)

const paramsOf = async (path: string, init: RequestInit = {}): Promise<Dict> =>
  (await (await fetch(`${web}${path}`, init)).json()) as Dict

/** HTTP response for an action's result. */
async function responseTo(extension: string, answer: unknown) {
  const response = await fetch(
    `${web}/default/say${extension}?answer=${encodeURIComponent(JSON.stringify(answer))}`,
  )
  const body = Buffer.from(await response.arrayBuffer())
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body,
    text: body.toString(),
    response,
  }
}

describe('a web action receives', () => {
  it('the request’s method, headers, path and query', async () => {
    const params = await paramsOf('/default/echo/a%20b/c?x=1&x=2&y=', { headers: { 'x-one': 'two' } })
    expect(params).toMatchObject({ __ow_method: 'get', __ow_path: '/a%20b/c', x: '2', y: '' })
    expect(params.__ow_headers).toMatchObject({ 'x-one': 'two', host: expect.any(String) })
    expect(params).not.toHaveProperty('__ow_body')
    expect(params).not.toHaveProperty('__ow_user')
  })

  it('the fields of a JSON or form body, merged over the query', async () => {
    const body = JSON.stringify({ a: [1], x: 2 })
    const json = { method: 'POST', body, headers: { 'content-type': 'application/json' } }
    expect(await paramsOf('/default/echo?x=1&y=1', json)).toMatchObject({
      __ow_method: 'post',
      a: [1],
      x: 2,
      y: '1',
    })
    const form = { method: 'PUT', body: new URLSearchParams({ x: 'a b' }) }
    expect(await paramsOf('/default/echo', form)).toMatchObject({ __ow_method: 'put', x: 'a b' })
  })

  it('any other body as __ow_body, in base64 unless it is text', async () => {
    const post = (body: string | Buffer, type: string) =>
      paramsOf('/default/echo', {
        method: 'POST',
        body: new Uint8Array(Buffer.from(body)),
        headers: { 'content-type': type },
      })
    expect(await post('text', 'text/plain')).toMatchObject({ __ow_body: 'text' })
    expect(await post(png, 'image/png')).toMatchObject({ __ow_body: png.toString('base64') })
    expect(await post('[1]', 'application/json')).toMatchObject({ __ow_body: [1] })
  })

  it('the raw query and body if it is raw, JSON in base64', async () => {
    const post = (body: string, type: string) =>
      paramsOf('/default/raw?a=1&b=%20', { method: 'POST', body, headers: { 'content-type': type } })
    const json = await post('{"a":2}', 'application/json')
    expect(json).toMatchObject({
      __ow_query: 'a=1&b=%20',
      __ow_body: Buffer.from('{"a":2}').toString('base64'),
    })
    expect(json).not.toHaveProperty('a')
    expect(await post('text', 'text/plain')).toMatchObject({ __ow_body: 'text' })
    expect(await paramsOf('/default/raw')).toMatchObject({ __ow_query: '', __ow_body: '' })
  })

  it('no value for a reserved or final parameter', async () => {
    await deploy('fixed', echo, {}, { token: 'secret', open: null })
    expect((await fetch(`${web}/default/fixed?token=mine`)).status).toBe(400)
    expect((await fetch(`${web}/default/fixed?__ow_method=mine`)).status).toBe(400)
    expect(await paramsOf('/default/fixed?open=mine')).toMatchObject({ token: 'secret', open: 'mine' })
  })

  it('the caller’s namespace if its key is sent', async () => {
    const authorization = `Basic ${Buffer.from(auth).toString('base64')}`
    expect(await paramsOf('/default/echo', { headers: { authorization } })).toMatchObject({
      __ow_user: 'guest',
    })
  })
})

describe('a web action responds with', () => {
  it('status, headers and body of .http, also without an extension', async () => {
    const answer = { statusCode: 201, headers: { 'x-a': 1, 'Set-Cookie': ['a=1', 'b=2'] }, body: '<b>' }
    for (const extension of ['', '.http']) {
      const { status, type, text, response } = await responseTo(extension, answer)
      expect({ status, type, text }).toEqual({ status: 201, type: 'text/html; charset=UTF-8', text: '<b>' })
      expect(response.headers.get('x-a')).toBe('1')
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    }
  })

  it('JSON for an object body, and 204 without a body', async () => {
    expect(await responseTo('', { body: { a: 1 } })).toMatchObject({
      type: 'application/json',
      text: '{"a":1}',
    })
    expect(await responseTo('', {})).toMatchObject({ status: 204, text: '' })
    expect(await responseTo('', { statusCode: 302, headers: { location: '/x' }, body: '' })).toMatchObject({
      status: 404,
    })
  })

  it('bytes for a binary type with a base64 body', async () => {
    const headers = { 'Content-Type': 'image/png' }
    const { type, body } = await responseTo('', { headers, body: png.toString('base64') })
    expect(type).toBe('image/png')
    expect(body).toEqual(png)
    expect(await responseTo('', { headers, body: 'not base64!' })).toMatchObject({ status: 400 })
    const base64 = Buffer.from('{"a": 1}').toString('base64')
    expect(
      await responseTo('', { headers: { 'content-type': 'application/json' }, body: base64 }),
    ).toMatchObject({
      text: '{"a": 1}',
    })
    expect(
      await responseTo('', { headers: { 'content-type': 'text/csv; charset=utf-8' }, body: 'a,b' }),
    ).toMatchObject({ type: 'text/csv; charset=UTF-8', text: 'a,b' })
  })

  it('the part and the type of the extension', async () => {
    expect(await responseTo('.json', { a: 1 })).toMatchObject({ type: 'application/json', text: '{"a":1}' })
    expect(await responseTo('.html', { html: '<b>' })).toMatchObject({
      type: 'text/html; charset=UTF-8',
      text: '<b>',
    })
    expect(await responseTo('.svg', { body: '<svg/>' })).toMatchObject({
      type: 'image/svg+xml',
      text: '<svg/>',
    })
    expect(await responseTo('.text', { text: 7 })).toMatchObject({
      type: 'text/plain; charset=UTF-8',
      text: '7',
    })
    expect(await responseTo('.text', {})).toMatchObject({ status: 404 })
    expect(await responseTo('.html', {})).toMatchObject({ status: 400 })
  })

  it('an error’s own response, and little about other failures', async () => {
    expect(await responseTo('', { error: { statusCode: 418, body: 'tea' } })).toMatchObject({
      status: 418,
      text: 'tea',
    })
    expect(await responseTo('', { statusCode: 'x' })).toMatchObject({ status: 400 })
    const { status, text } = await responseTo('', 7)
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ error: 'There was an error processing your request.' })
  })

  it('404 if it is missing, not exported, or in another namespace', async () => {
    await clientOf(host).actions.update({ name: 'private', action: echo })
    for (const path of ['/default/private', '/default/nope', '/nope/echo', '/../other/default/echo']) {
      const answer = await fetch(`${web}${path}`)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ error: 'The requested resource does not exist.' })
    }
    await deploy('pkg/inside', echo)
    expect((await fetch(`${web}/pkg/inside.json`)).status).toBe(200)
  })

  it('413 above 1 MiB of request', async () => {
    const answer = await fetch(`${web}/default/raw`, { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) })
    expect(answer.status).toBe(413)
    const echoed = await fetch(`${web}/default/raw.json`, { method: 'POST', body: 'x'.repeat(700_000) })
    expect(echoed.status).toBe(200)
    // Unread, a large response keeps its connection open, and the process alive.
    await echoed.arrayBuffer()
  })
})

describe('access to a web action', () => {
  it('requires the secret of require-whisk-auth, or the namespace’s key if it is true', async () => {
    await deploy('secret', echo, { 'require-whisk-auth': 's3cret' })
    await deploy('owned', echo, { 'require-whisk-auth': true })
    const status = async (name: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`${web}/default/${name}`, { headers })).status
    expect(await status('secret')).toBe(401)
    expect(await status('secret', { 'x-require-whisk-auth': 'wrong' })).toBe(401)
    expect(await status('secret', { 'x-require-whisk-auth': 's3cret' })).toBe(200)
    expect(await status('owned')).toBe(401)
    expect(await status('owned', { authorization: `Basic ${Buffer.from(auth).toString('base64')}` })).toBe(
      200,
    )
  })

  it('is allowed for pages of any origin, unless the action answers OPTIONS itself', async () => {
    const options = { method: 'OPTIONS', headers: { 'access-control-request-headers': 'x-mine' } }
    const usual = await fetch(`${web}/default/echo`, options)
    expect(usual.status).toBe(200)
    expect(Object.fromEntries(usual.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH',
      'access-control-allow-headers': 'x-mine',
    })
    const code = 'const main = ({ __ow_method }) => ({ headers: { "x-method": __ow_method }, body: "own" })'
    await deploy('own', code, { 'web-custom-options': true, 'require-whisk-auth': 's3cret' })
    const own = await fetch(`${web}/default/own`, options)
    expect(own.headers.get('x-method')).toBe('options')
    expect(own.headers.get('access-control-allow-origin')).toBeNull()
    expect((await fetch(`${web}/default/own`)).status).toBe(401)
  })
})

describe('methods', () => {
  it('HEAD is passed to the action, and its body dropped', async () => {
    const code =
      'const main = ({ __ow_method }) => ({ headers: { "content-type": "text/css", "x-method": __ow_method }, body: "p {}" })'
    await deploy('styled', code)
    const head = await fetch(`${web}/default/styled`, { method: 'HEAD' })
    const get = await fetch(`${web}/default/styled`)
    expect([head.status, head.headers.get('x-method'), await head.text()]).toEqual([200, 'head', ''])
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
    expect([get.headers.get('x-method'), await get.text()]).toEqual(['get', 'p {}'])
  })

  it('HEAD of the host’s own resources is like GET', async () => {
    for (const path of ['/', '/api/v1']) {
      const head = await fetch(host.url + path, { method: 'HEAD' })
      expect([path, head.status, await head.text()]).toEqual([path, 200, ''])
    }
  })

  it('an unsupported method is 405, with those supported', async () => {
    const basic = `Basic ${Buffer.from(auth).toString('base64')}`
    for (const [method, path, allow] of [
      ['PUT', '/', 'GET'],
      ['DELETE', '/api/v1', 'GET'],
      ['PATCH', '/api/v1/namespaces/_/triggers/event', 'GET, PUT, POST, DELETE'],
      ['POST', '/api/v1/namespaces', 'GET'],
    ]) {
      const answer = await fetch(host.url + path, { method, headers: { authorization: basic } })
      expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, allow])
      expect(await answer.json()).toMatchObject({
        error: `HTTP method not allowed, supported methods: ${allow}`,
        code: expect.any(String),
      })
    }
    const unknown = await fetch(`${host.url}/api/v2`, { method: 'PUT' })
    expect(unknown.status).toBe(404)
  })

  it('are not revealed without the key', async () => {
    expect((await fetch(`${host.url}/api/v1/namespaces/_/triggers/event`, { method: 'PATCH' })).status).toBe(
      401,
    )
  })
})
