import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { keyValues, Session } from './session'

/* Bodies that are too large, too deeply nested, or not JSON. */

const pkg = 'conformance-bodies'
const mebibyte = 1024 * 1024
let session: Session

beforeAll(async () => {
  session = await Session.open()
  await session.server.nextMinute()
  await session.put(`packages/${pkg}`, {})
  await session.action(`${pkg}/echo`, 'const main = (params) => params')
  await session.action(`${pkg}/page`, 'const main = () => ({ body: {} })', {
    annotations: keyValues({ 'web-export': true }),
  })
  await session.put(`triggers/${pkg}-event`, {})
})
afterAll(() => session.close())

const targets = (): [method: string, path: string][] => [
  ['POST', `namespaces/_/actions/${pkg}/echo`],
  ['POST', `namespaces/_/triggers/${pkg}-event`],
  ['POST', `web/${session.namespace}/${pkg}/page.json`],
]

/** Sends a body of `length` bytes without content-length. */
async function sendChunked(method: string, path: string, length: number) {
  const authorization = `Basic ${Buffer.from(session.server.auth).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
  const outgoing = request(`${session.server.url}/api/v1/${path}`, { method, headers })
  const answer = new Promise<{ status?: number; body: string }>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (incoming) => {
      text(incoming).then((body) => resolve({ status: incoming.statusCode, body }), reject)
    })
  })
  outgoing.write('{"a":"')
  outgoing.write('x'.repeat(length - 8))
  outgoing.end('"}')
  return answer
}

describe('a body', () => {
  it('above 1 MiB is refused, with or without content-length', async () => {
    const error = expect.stringMatching(/^Request larger than allowed: \d+ > 1048576 bytes\.$/)
    for (const [method, path] of targets()) {
      const answer = await session.send(method, path, { body: { a: 'x'.repeat(mebibyte) } })
      expect([path, answer.status, answer.body.error]).toEqual([path, 413, error])
      const { status, body } = await sendChunked(method, path, mebibyte + 1)
      expect([path, status, JSON.parse(body).error]).toEqual([path, 413, error])
      expect((await sendChunked(method, path, 1000)).status).toBeLessThan(300)
    }
  })

  it('that is not a JSON object is malformed', async () => {
    const error = expect.stringMatching(/^The request content was malformed:\n/)
    for (const [method, path] of targets().slice(0, 2)) {
      for (const body of ['{', '[]', '1', '"text"']) {
        const answer = await session.send(method, path, { body })
        expect([path, body, answer.status, answer.body.error]).toEqual([path, body, 400, error])
      }
    }
  })

  it('of a type other than JSON is refused', async () => {
    for (const [method, path] of targets().slice(0, 2)) {
      const headers = { 'content-type': 'text/plain' }
      const { status, body } = await session.send(method, path, { body: '{}', headers })
      expect([status, body.error]).toEqual([
        415,
        "The request's Content-Type [text/plain] is not supported. Expected:\napplication/json",
      ])
    }
  })
})
