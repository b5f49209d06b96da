import { keyValues, Session } from './session'

/* Rejected requests and their messages; also a few that are surprisingly accepted. */

const pkg = 'conformance-refusals'
const code = 'const main = ({ list }) => (list ? [1] : { body: {} })'
let session: Session

beforeAll(async () => {
  session = await Session.open()
  await session.server.nextMinute()
  await session.put(`packages/${pkg}`, {})
  await session.put(`packages/${pkg}-bound`, { binding: { namespace: '_', name: pkg } })
  const page = (name: string, secret?: unknown) =>
    session.action(`${pkg}/${name}`, code, {
      annotations: keyValues({
        'web-export': true,
        ...(secret !== undefined && { 'require-whisk-auth': secret }),
      }),
    })
  await page('page')
  await page('owned', true)
  await page('open', false)
  await page('numbered', 123)
})
afterAll(() => session.close())

const exec = { kind: 'nodejs:default', code }
const malformed = 'The request content was malformed:\n'
const missing = 'The requested resource does not exist.'
const failed = 'requirement failed:'

describe('requests', () => {
  it.each<[method: string, path: string, content: object | undefined, status: number, error: string]>([
    ['GET', `actions/${pkg}-none/a`, undefined, 404, missing],
    ['PUT', `actions/${pkg}-none/a`, { exec }, 404, missing],
    ['PUT', `actions/${pkg}-bound/a`, { exec }, 400, 'Operation not permitted on package binding.'],
    ['DELETE', `actions/${pkg}-bound/page`, undefined, 400, 'Operation not permitted on package binding.'],
    [
      'DELETE',
      `packages/${pkg}`,
      undefined,
      409,
      'Package not empty (contains 4 entities). Set force param or delete package contents.',
    ],
    ['PUT', `packages/${pkg}`, {}, 409, 'resource already exists'],
    [
      'PUT',
      `actions/${pkg}/a?overwrite=maybe`,
      { exec },
      400,
      "The query parameter 'overwrite' was malformed:\n'maybe' is not a valid Boolean value",
    ],
    ['PUT', `actions/${pkg}/a`, {}, 400, 'exec undefined'],
    [
      'PUT',
      `actions/${pkg}/a`,
      { exec: { kind: 'nodejs:20' } },
      400,
      `${malformed}'code' must be a string or attachment object defined in 'exec' for 'nodejs:20' actions`,
    ],
    [
      'PUT',
      `actions/${pkg}/a`,
      { exec: { kind: 'blackbox' } },
      400,
      `${malformed}'image' must be a string defined in 'exec' for 'blackbox' actions`,
    ],
    [
      'PUT',
      `actions/${pkg}/a`,
      { exec: { kind: 'sequence', components: [] } },
      400,
      'No component specified for the sequence.',
    ],
    [
      'PUT',
      `actions/${pkg}/a`,
      { exec, limits: { memory: 1 } },
      400,
      `${failed} memory size 1 MB below allowed threshold of 128 MB`,
    ],
    [
      'PUT',
      `actions/${pkg}/a`,
      { exec, limits: { timeout: 1 } },
      400,
      `${failed} duration 1 milliseconds below allowed threshold of 100 milliseconds`,
    ],
    [
      'PUT',
      `actions/${pkg}/a`,
      { exec, limits: { concurrency: 0 } },
      400,
      `${failed} concurrency 0 below allowed threshold of 1`,
    ],
    [
      'POST',
      `actions/${pkg}/page?blocking=true&timeout=0`,
      {},
      400,
      "The query parameter 'timeout' was malformed:\nTimeout must be number of milliseconds up to 60000.",
    ],
    ['GET', 'activations/none', undefined, 400, 'Activation id length is 4 but must be 32.'],
    [
      'GET',
      'activations?count=true&docs=true',
      undefined,
      400,
      "The parameter 'docs' is not permitted with 'count'.",
    ],
    ['GET', 'none/x', undefined, 404, 'The requested resource could not be found.'],
  ])('%s %s %j → %i', async (method, path, content, status, error) => {
    const answer = await session.ask(method, path, content)
    expect([answer.status, answer.body.error]).toEqual([status, error])
  })
})

describe('web actions', () => {
  const call = async (name: string, headers = {}) => {
    const path = `web/${session.namespace}/${pkg}/${name}`
    const { status, body } = await session.send('GET', path, { headers })
    return [status, body.error]
  }
  const stranger = { authorization: 'Basic d3Jvbmc6a2V5' }

  it('honour require-whisk-auth: the secret, the namespace’s key, or nothing', async () => {
    const refused = [401, 'Authentication is possible but has failed or not yet been provided.']
    expect(await call('owned', stranger)).toEqual(refused)
    expect(await call('owned')).toEqual([200, undefined])
    expect(await call('open', stranger)).toEqual([200, undefined])
    expect(await call('numbered', { 'x-require-whisk-auth': '124' })).toEqual(refused)
    expect(await call('numbered', { 'x-require-whisk-auth': '123' })).toEqual([200, undefined])
  })

  it('cannot return an array', async () => {
    expect((await call('page.json?list=1'))[0]).toBe(500)
  })
})

describe('an invocation', () => {
  it('that returns an array is answered with that array only', async () => {
    const { status, body } = await session.ask('POST', `actions/${pkg}/page?blocking=true`, { list: 1 })
    expect([status, body]).toEqual([200, [1]])
  })

  it('through a binding records the binding', async () => {
    const { body } = await session.ask('POST', `actions/${pkg}-bound/page?blocking=true`, {})
    expect(body.annotations).toEqual(
      expect.arrayContaining(
        keyValues({ binding: `${session.namespace}/${pkg}-bound`, path: `${session.namespace}/${pkg}/page` }),
      ),
    )
  })
})
