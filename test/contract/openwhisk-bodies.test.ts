import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import type { Dict } from 'openwhisk'
import type { ApiHost } from '../../src/local/host/server'
import { auth, buildRuntime, clientOf, eventually, startTestHost, temporaryFolder } from './api-host'

/* Malicious bodies, for the embedded host only. test/openwhisk has the limits of real servers. */

const folder = temporaryFolder()
const basic = `Basic ${Buffer.from(auth).toString('base64')}`
const mebibyte = 1024 * 1024
let host: ApiHost

const deploy = (name: string, action: string, annotations: Dict = {}) =>
  clientOf(host).actions.update({ name, action, annotations } as never)

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
  await clientOf(host).triggers.update({ name: 'event' })
  await deploy('pid', 'const main = () => ({ pid: process.pid })')
  const page = `const main = ({ token }) => ({ statusCode: token === 'right' ? 200 : 401, body: { pid: process.pid } })`
  await deploy('page', page, { 'web-export': true })
  await deploy('guarded', page, { 'web-export': true, 'require-whisk-auth': 'secret' })
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

const api = '/api/v1/namespaces/_'
const web = '/api/v1/web/guest/default'

async function send(method: string, path: string, body: string): Promise<{ status: number; body: Dict }> {
  const headers = { authorization: basic, 'content-type': 'application/json' }
  const answer = await fetch(`${host.url}${path}`, { method, body, headers })
  return { status: answer.status, body: (await answer.json()) as Dict }
}

/**
 * Sends an endless body until the host answers or closes the connection.
 * @returns status, and number of bytes sent before it
 */
async function sendEndlessly(method: string, path: string, authorization: string, goesOn = false) {
  const socket = connect(Number(new URL(host.url).port), '127.0.0.1')
  const head = ['host: a', 'content-type: application/json', 'transfer-encoding: chunked']
  if (authorization) head.push(`authorization: ${authorization}`)
  socket.write(`${method} ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`)
  const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`)
  const write = (): void => {
    while (socket.writable && socket.write(chunk));
    if (!goesOn && socket.bytesWritten > 512 * mebibyte) socket.destroy()
  }
  socket.on('drain', write)
  let [status, taken] = [0, Number.POSITIVE_INFINITY]
  socket.once('data', (data) => {
    status = Number(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1])
    taken = socket.bytesWritten
    if (!goesOn) socket.destroy()
  })
  write()
  await new Promise((resolve) => socket.once('close', resolve).on('error', resolve))
  return { status, taken }
}

const nested = (levels: number, member: string): string =>
  `{"${member}":${'['.repeat(levels)}${']'.repeat(levels)}}`

describe('an endless body', () => {
  it.each([
    ['an invocation', 'POST', `${api}/actions/pid`, basic, 413],
    ['a fire', 'POST', `${api}/triggers/event`, basic, 413],
    ['a PUT', 'PUT', `${api}/actions/pid?overwrite=true`, basic, 413],
    ['a web action’s call', 'POST', `${web}/page`, '', 413],
    ['a stranger', 'PUT', `${api}/actions/pid?overwrite=true`, '', 401],
    ['a stranger with a wrong key', 'PUT', `${api}/actions/pid?overwrite=true`, 'Basic d3Jvbmc6a2V5', 401],
    ['a web action’s call without its secret', 'POST', `${web}/guarded`, '', 401],
  ])('of %s is read no further than needed', async (_, method, path, authorization, status) => {
    const { status: answered, taken } = await sendEndlessly(method, path, authorization)
    expect(answered).toBe(status)
    // A PUT may have 50 MiB if its sender is authorized; socket buffers add some more.
    const allowed = method === 'PUT' && status === 413 ? 50 : 1
    expect(taken).toBeLessThan((allowed + 32) * mebibyte)
  })

  it('ends with its connection, and does not block the host', async () => {
    const endless = Promise.all(
      [1, 2, 3].map(() => sendEndlessly('POST', `${api}/triggers/event`, basic, true)),
    )
    expect((await fetch(host.url)).status).toBe(200)
    await endless
    expect((await fetch(host.url)).status).toBe(200)
  })
})

describe.each([5_000, 400_000])('JSON nested for %i levels', (levels) => {
  it.each([
    ['an invocation', 'POST', `${api}/actions/pid?blocking=true`],
    ['a fire', 'POST', `${api}/triggers/event`],
    ['a PUT', 'PUT', `${api}/packages/deep`],
    ['a web action’s call', 'POST', `${web}/page.json`],
  ])('is refused as the body of %s', async (_, method, path) => {
    const { status, body } = await send(method, path, nested(levels, 'parameters'))
    expect(status).toBe(400)
    expect(body.error).toBe(
      'The request content was malformed:\nJSON input nested too deeply:' +
        'JSON input was nested more deeply than the configured limit of maxNesting = 1000',
    )
  })

  it('needs no container', async () => {
    const pid = async () =>
      (await send('POST', `${api}/actions/pid?blocking=true&result=true`, '{}')).body.pid
    const before = await pid()
    await send('POST', `${api}/actions/pid?blocking=true`, nested(levels, 'a'))
    expect(await pid()).toBe(before)
  })

  it('is also refused for an action without a container', async () => {
    await deploy('page', 'const main = () => ({ statusCode: 401, body: {} })', { 'web-export': true })
    expect((await send('POST', `${web}/page`, nested(levels, 'a'))).status).toBe(400)
    expect((await send('POST', `${web}/page`, '{}')).status).toBe(401)
  })
})

describe('a result', () => {
  it('nested too deep is an error', async () => {
    const code =
      'const main = () => { let deep = {}; for (let i = 0; i < 1500; i++) deep = { deep }; return deep }'
    await deploy('deep', code)
    const { activationId } = (await send('POST', `${api}/actions/deep`, '{}')).body
    const { response } = await eventually(
      () => clientOf(host).activations.get({ name: activationId }) as Promise<Dict>,
    )
    expect(response).toMatchObject({ status: 'action developer error', success: false })
    expect(response.result.error).toMatch(
      /^The action did not produce a valid JSON or JSON Array response: \{/,
    )
  })
})
