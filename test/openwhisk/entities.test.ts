import { keyValues, Session, sort } from './session'

/* What a PUT changes and what it keeps, and what lists return. */

const pkg = 'conformance-entities'
const code = 'const main = (params) => params'
let session: Session

beforeAll(async () => {
  session = await Session.open()
  await session.server.nextMinute()
  await session.put(`packages/${pkg}`, {})
  await session.put(`triggers/${pkg}-event`, {})
})
afterAll(() => session.close())

const get = async (path: string) => (await session.ask('GET', path)).body
const refusal = async (method: string, path: string, content?: object) => {
  const { status, body } = await session.ask(method, path, content)
  return { status, error: body.error }
}

describe.each([
  ['actions', `actions/${pkg}/versioned`, { exec: { kind: 'nodejs:default', code } }],
  ['packages', `packages/${pkg}-package`, {}],
  ['triggers', `triggers/${pkg}-trigger`, {}],
  ['rules', `rules/${pkg}-rule`, { trigger: `/_/${pkg}-event`, action: `/_/${pkg}/versioned` }],
])('%s', (kind, path, content) => {
  it('have a version whose patch level every PUT raises, ignoring the one in the body', async () => {
    const made = await session.put(path, { ...content, annotations: keyValues({ kept: 1, changed: 1 }) })
    expect(made.version).toBe('0.0.1')
    expect((await session.put(path, content)).version).toBe('0.0.2')
    expect((await session.put(path, { publish: true })).version).toBe('0.0.3')
    expect((await session.put(path, { publish: true })).version).toBe('0.0.4')
  })

  it('keep annotations if a PUT has none', async () => {
    const { annotations } = await get(path)
    expect(annotations).toEqual(expect.arrayContaining(keyValues({ kept: 1, changed: 1 })))
  })

  it(`${kind === 'actions' ? 'keep' : 'lose'} annotations that a PUT does not name`, async () => {
    const { annotations } = await session.put(path, { annotations: keyValues({ changed: 2, added: 2 }) })
    const usual = kind === 'actions' ? expectedOfActions : {}
    expect(sort(annotations)).toEqual(sort(keyValues({ ...usual, changed: 2, added: 2 })))
  })
})

const expectedOfActions = { kept: 1, 'provide-api-key': false, exec: expect.stringMatching(/^nodejs:\d+$/) }

describe('annotations of actions', () => {
  it('are deleted by name', async () => {
    const path = `actions/${pkg}/dropped`
    await session.action(`${pkg}/dropped`, code, { annotations: keyValues({ a: 1, b: 1 }) })
    const delAnnotations = ['a', 'provide-api-key']
    const { annotations } = await session.put(path, { delAnnotations, annotations: keyValues({ c: 1 }) })
    expect(sort(annotations)).toEqual(sort(keyValues({ b: 1, c: 1, exec: expect.any(String) })))
  })
})

describe('kinds', () => {
  it('are exactly those listed by GET /', async () => {
    const { runtimes } = (await session.send('GET', '../..')).body
    const kinds: string[] = runtimes.nodejs.map(({ kind }: { kind: string }) => kind)
    for (const kind of kinds) {
      const { exec } = await session.put(`actions/${pkg}/kind`, { exec: { kind, code } })
      expect(exec.kind).toBe(kind)
    }
    const { status, error } = await refusal('PUT', `actions/${pkg}/kind?overwrite=true`, {
      exec: { kind: 'nodejs:6', code },
    })
    expect(status).toBe(400)
    expect(error).toMatch(
      /^The request content was malformed:\nThe specified runtime 'nodejs:6' is not supported by this platform\. Valid values are: '/,
    )
    for (const kind of kinds) expect(error).toContain(`'${kind}'`)
  })
})

describe('activations', () => {
  const idsOf = async (query: string) =>
    (await session.listed(`${query}&limit=200`)).map(({ activationId }) => activationId)

  it('of an action in a package are listed by its full name only', async () => {
    await session.action(`${pkg}/found`, code)
    const { activationId } = (await session.ask('POST', `actions/${pkg}/found`, {})).body
    await session.activation(activationId)
    expect(await idsOf(`name=${pkg}/found`)).toContain(activationId)
    expect(await idsOf('name=found')).toEqual([])
    expect(await idsOf(`name=${pkg}`)).toEqual([])
  })

  it('of actions without a package, and of triggers, are listed by the bare name', async () => {
    await session.action(`${pkg}-bare`, code)
    await session.put(`triggers/${pkg}-fired`, {})
    await session.rule(`${pkg}-listed`, `${pkg}-fired`, `${pkg}-bare`)
    const { activation, lines } = await session.fire(`${pkg}-fired`)
    const { activationId } = JSON.parse(lines[0] ?? '')
    await session.activation(activationId)
    expect(await idsOf(`name=${pkg}-fired`)).toContain(activation.activationId)
    expect(await idsOf(`name=${pkg}-bare`)).toContain(activationId)
    expect(await idsOf(`name=default/${pkg}-bare`)).toEqual([])
  })

  it('are listed in pages of at most 200', async () => {
    expect(await session.listed('limit=1')).toHaveLength(1)
    const [first, second] = await session.listed('limit=2')
    expect(await session.listed('limit=1&skip=1')).toEqual([second])
    expect(first?.start).toBeGreaterThanOrEqual(second?.start)
    const prefix = (name: string) => `The query parameter '${name}' was malformed:\n`
    expect(await refusal('GET', 'activations?limit=201')).toEqual({
      status: 400,
      error: `${prefix('limit')}The value '201' is not in the range of 0 to 200 for activations.`,
    })
    expect(await refusal('GET', 'activations?limit=x')).toEqual({
      status: 400,
      error: `${prefix('limit')}The value 'x' is not an integer for activations.`,
    })
    expect(await refusal('GET', 'activations?skip=-1')).toEqual({
      status: 400,
      error: `${prefix('skip')}The value '-1' is not greater than or equal to 0 for activations.`,
    })
    expect(await refusal('GET', `activations?name=a/${pkg}/found`)).toEqual({
      status: 400,
      error: `${prefix('name')}Parameter may be a 'simple' name or 'package-name/simple' name: a/${pkg}/found`,
    })
    expect(await refusal('GET', 'activations?since=x')).toEqual({
      status: 400,
      error: `${prefix('since')}Parameter is not a valid value for epoch seconds: x`,
    })
  })
})
