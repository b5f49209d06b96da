import { keyValues, Session } from './session'

/* Parameters of an action: their sources, and which ones cannot be overridden. */

const pkg = 'conformance-parameters'
const echo = 'const main = (params) => params'
const [event, chain] = [`${pkg}-event`, `${pkg}-chain`]
const notAllowed = 'Request defines parameters that are not allowed (e.g., reserved properties).'
let session: Session

beforeAll(async () => {
  session = await Session.open()
  await session.server.nextMinute()
  const ofPackage = keyValues({ a: 'package', b: 'package', c: 'package', d: 'package' })
  await session.put(`packages/${pkg}`, { parameters: ofPackage })
  await session.action(`${pkg}/echo`, echo, {
    parameters: keyValues({ b: 'action', c: 'action', d: 'action' }),
  })
  await session.put(`triggers/${event}`, { parameters: keyValues({ c: 'trigger', d: 'trigger' }) })
  await session.rule(`${pkg}-rule`, event, `${pkg}/echo`)
})
afterAll(() => session.close())

const refusal = async (action: string, payload: object) => {
  const { status, body } = await session.ask('POST', `actions/${action}?blocking=true&result=true`, payload)
  return { status, error: body.error }
}

/** Result of the only rule of a trigger. */
async function ruledResult(trigger: string, payload: object) {
  const { activation, lines } = await session.fire(trigger, payload)
  const { activationId } = JSON.parse(lines[0] ?? '')
  const { response, logs } = await session.activation(activationId)
  return { activation, result: response.result, logs }
}

describe('parameters', () => {
  it('of an invocation override those of the action, which override those of the package', async () => {
    const result = await session.resultOf(`${pkg}/echo`, { c: 'payload' })
    expect(result).toEqual({ a: 'package', b: 'action', c: 'payload', d: 'action' })
  })

  it('of a fire override those of the trigger, which override those of the action', async () => {
    const { activation, result } = await ruledResult(event, { d: 'payload' })
    const { __ow_headers, ...params } = result
    expect(params).toEqual({ a: 'package', b: 'action', c: 'trigger', d: 'payload' })
    expect(activation.response.result).toEqual({ d: 'payload' })
    expect(activation.annotations).toEqual([])
  })

  it('include the headers of the request that fired, for the first component of a sequence only', async () => {
    await session.action(
      `${pkg}/tell`,
      'const main = (params) => ({ names: Object.keys(params), before: params.names })',
    )
    await session.sequence(`${pkg}/pair`, `${pkg}/tell`, `${pkg}/tell`)
    await session.put(`triggers/${chain}`, {})
    await session.rule(`${chain}-rule`, chain, `${pkg}/pair`)
    const { __ow_headers: headers } = (await ruledResult(event, {})).result
    const basic = `Basic ${Buffer.from(session.server.auth).toString('base64')}`
    expect(headers).toMatchObject({ authorization: basic, host: new URL(session.server.url).host })
    expect(Object.keys(headers)).not.toContain('content-type')
    expect(Object.keys(headers)).not.toContain('content-length')
    const { result } = await ruledResult(chain, {})
    expect(result.before).toContain('__ow_headers')
    expect(result.names).not.toContain('__ow_headers')
  })

  it('marked init become environment variables, also from the payload', async () => {
    const code = 'const main = (params) => ({ params, A: process.env.A, B: process.env.B })'
    const parameters = [
      { key: 'A', value: 'action', init: true },
      { key: 'B', value: [1], init: true },
      { key: 'c', value: 1 },
    ]
    await session.action(`${pkg}/inits`, code, { parameters })
    const result = await session.resultOf(`${pkg}/inits`, { A: 'payload', d: 2 })
    expect(result).toEqual({ params: expect.objectContaining({ c: 1, d: 2 }), A: 'payload', B: '[1]' })
    expect(Object.keys(result.params)).not.toContain('A')
  })
})

describe('final', () => {
  const final = { annotations: keyValues({ final: true }) }

  beforeAll(async () => {
    const parameters = keyValues({ fixed: 'action', empty: '', zero: 0, no: false, nothing: null })
    await session.action(`${pkg}/fixed`, echo, { ...final, parameters })
    await session.sequence(`${pkg}/fixed-pair`, `${pkg}/echo`, `${pkg}/echo`)
    await session.put(`actions/${pkg}/fixed-pair`, final)
    await session.put(`triggers/${pkg}-fixed`, {})
    await session.rule(`${pkg}-fixed-rule`, `${pkg}-fixed`, `${pkg}/fixed`)
  })

  it.each(['fixed', 'empty', 'zero', 'no', 'a'])('protects %s, which has a value', async (name) => {
    expect(await refusal(`${pkg}/fixed`, { [name]: 'payload' })).toEqual({ status: 400, error: notAllowed })
    // The same value is rejected, too.
    expect(await refusal(`${pkg}/fixed`, { [name]: 'action' })).toEqual({ status: 400, error: notAllowed })
  })

  it('ignores null and missing values', async () => {
    const result = await session.resultOf(`${pkg}/fixed`, { nothing: 1, other: 2 })
    expect(result).toMatchObject({ fixed: 'action', nothing: 1, other: 2 })
  })

  it('protects the package’s parameters from invocations of a sequence, but not of its components', async () => {
    expect(await refusal(`${pkg}/fixed-pair`, { a: 1 })).toEqual({ status: 400, error: notAllowed })
    expect(await refusal(`${pkg}/fixed-pair`, { _actions: 1 })).toEqual({ status: 400, error: notAllowed })
    expect(await session.resultOf(`${pkg}/fixed-pair`, { free: 1 })).toMatchObject({ free: 1 })
    await session.sequence(`${pkg}/into-fixed`, `${pkg}/echo`, `${pkg}/fixed`)
    expect(await session.resultOf(`${pkg}/into-fixed`, { fixed: 'payload' })).toMatchObject({
      fixed: 'payload',
    })
  })

  it('refuses a rule, which the trigger’s activation reports', async () => {
    const { lines } = await session.fire(`${pkg}-fixed`, { fixed: 'payload' })
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        statusCode: 1,
        success: false,
        error: notAllowed,
        rule: `${session.namespace}/${pkg}-fixed-rule`,
        action: `${session.namespace}/${pkg}/fixed`,
      },
    ])
    const { result } = await ruledResult(`${pkg}-fixed`, { other: 1 })
    expect(result).toMatchObject({ fixed: 'action', other: 1 })
  })

  it('requires the value true', async () => {
    const parameters = keyValues({ fixed: 'action' })
    const annotations = keyValues({ final: 'true' })
    await session.action(`${pkg}/not-final`, echo, { annotations, parameters })
    expect(await session.resultOf(`${pkg}/not-final`, { fixed: 1 })).toMatchObject({ fixed: 1 })
  })
})

describe('a rule', () => {
  it('with a missing action is reported in the trigger’s activation', async () => {
    await session.action(`${pkg}/gone`, echo)
    await session.put(`triggers/${pkg}-gone`, {})
    await session.rule(`${pkg}-gone-rule`, `${pkg}-gone`, `${pkg}/gone`)
    await session.ask('DELETE', `actions/${pkg}/gone`)
    const { lines } = await session.fire(`${pkg}-gone`)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      statusCode: 1,
      success: false,
      error: 'The requested resource does not exist.',
    })
  })

  it('is refused if its payload is too large', async () => {
    const { lines } = await session.fire(event, { long: 'x'.repeat(1024 * 1024 - 20) })
    const { statusCode, error } = JSON.parse(lines[0] ?? '')
    expect(statusCode).toBe(1)
    expect(error).toMatch(/^Request larger than allowed: \d+ > 1048576 bytes\.$/)
  })
})
