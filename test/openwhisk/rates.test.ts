import { eventually } from '../contract/api-host'
import { type Answer, keyValues, Session } from './session'

/* The three limits of a namespace: invocations per minute, fires per minute, concurrent invocations. */

const pkg = 'conformance-rates'
const trigger = `${pkg}-event`
let session: Session
let limits: { actions_per_minute: number; triggers_per_minute: number; concurrent_actions: number }

beforeAll(async () => {
  session = await Session.open()
  limits = (await session.send('GET', '../..')).body.limits
  await session.put(`packages/${pkg}`, {})
  await session.action(`${pkg}/echo`, 'const main = (params) => params')
  await session.action(`${pkg}/fixed`, 'const main = () => ({})', {
    parameters: keyValues({ fixed: 1 }),
    annotations: keyValues({ final: true }),
  })
  await session.action(`${pkg}/page`, 'const main = () => ({ body: {} })', {
    annotations: keyValues({ 'web-export': true, 'require-whisk-auth': 'secret' }),
  })
  await session.action(`${pkg}/slow`, 'const main = () => new Promise((done) => setTimeout(done, 2000, {}))')
  await session.sequence(`${pkg}/thrice`, ...Array(3).fill(`${pkg}/echo`))
  await session.put(`triggers/${trigger}`, {})
  await session.rule(`${pkg}-rule`, trigger, `${pkg}/echo`)
})
afterAll(() => session.close())
beforeEach(() => session.server.nextMinute())

const invoke = (action: string, body: object | string = {}) =>
  session.send('POST', `namespaces/_/actions/${action}`, { body })
const fire = (trigger: string) => session.send('POST', `namespaces/_/triggers/${trigger}`, { body: {} })
/** Counts as an invocation, although the action does not exist. */
const invokeNothing = () => invoke('conformance-none')

async function times(count: number, call: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  while (answers.length < count) {
    const few = Math.min(10, count - answers.length)
    answers.push(...(await Promise.all(Array.from({ length: few }, call))))
  }
  return answers
}

const refusal = (count: number, allowed: number) => ({
  status: 429,
  error: `Too many requests in the last minute (count: ${count}, allowed: ${allowed}).`,
})
const errorOf = ({ status, body }: Answer) => ({ status, error: body.error })

/** Uses up the rest of the minute after `used` invocations, and checks the counts in the refusals. */
async function expectUsed(used: number): Promise<void> {
  const { actions_per_minute: allowed } = limits
  const statuses = (await times(allowed - used, invokeNothing)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([404]))
  expect(errorOf(await invokeNothing())).toEqual(refusal(allowed + 1, allowed))
  // Rejected requests count, too.
  expect(errorOf(await invokeNothing())).toEqual(refusal(allowed + 2, allowed))
}

describe('invocations per minute', () => {
  it('include all requests for one, whatever their outcome', async () => {
    const web = (method: string, headers = {}) =>
      session.send(method, `web/${session.namespace}/${pkg}/page.json`, { headers })
    const statuses = [
      await invoke(`${pkg}/echo`),
      await invoke(`${pkg}/none`),
      await invoke('conformance-no-package/none'),
      await invoke(`${pkg}/fixed`, { fixed: 2 }),
      await invoke(`${pkg}/echo`, '{'),
      await invoke(`${pkg}/echo`, `{"long":"${'x'.repeat(1024 * 1024)}"}`),
      await web('GET', { 'x-require-whisk-auth': 'secret' }),
      await web('GET'),
      await web('OPTIONS'),
    ].map(({ status }) => status)
    expect(statuses).toEqual([202, 404, 404, 400, 400, 413, 200, 401, 200])
    await expectUsed(statuses.length)
    expect(errorOf(await web('GET'))).toEqual(
      refusal(limits.actions_per_minute + 3, limits.actions_per_minute),
    )
  })

  it('include no other requests', async () => {
    const path = `namespaces/_/actions/${pkg}/echo`
    const statuses = [
      await session.send('GET', path),
      await session.send('POST', path, { body: {}, headers: { authorization: 'Basic d3Jvbmc6a2V5' } }),
      await session.send('GET', `web/${session.namespace}/${pkg}/echo.json`),
      await session.send('POST', `namespaces/_/rules/${pkg}-rule`, { body: { status: 'active' } }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([200, 401, 404, 200])
    await expectUsed(0)
  })

  it('count a sequence once, without its components', async () => {
    const answer = await invoke(`${pkg}/thrice?blocking=true&result=true`, { a: 1 })
    expect(answer).toMatchObject({ status: 200, body: { a: 1 } })
    await expectUsed(1)
  })

  it('include those of rules; refusals are reported in the trigger’s activation only', async () => {
    const first = await session.fire(trigger)
    expect(first.lines).toEqual([expect.stringContaining('"success":true')])
    await expectUsed(1)
    const second = await fire(trigger)
    expect(second.status).toBe(202)
    const { logs } = await session.activation(second.body.activationId)
    const { error } = refusal(limits.actions_per_minute + 3, limits.actions_per_minute)
    const { namespace } = session
    const what = { rule: `${namespace}/${pkg}-rule`, action: `${namespace}/${pkg}/echo` }
    const line = { statusCode: 1, success: false, error, ...what }
    expect(logs.map((one: string) => JSON.parse(one))).toEqual([line])
  })
})

describe('fires per minute', () => {
  it('are counted separately, for all requests', async () => {
    const { triggers_per_minute: allowed } = limits
    const statuses = (await times(allowed, () => fire('conformance-none'))).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([404]))
    expect(errorOf(await fire(trigger))).toEqual(refusal(allowed + 1, allowed))
    expect((await invoke(`${pkg}/echo`)).status).toBe(202)
  })
})

describe('concurrent invocations', () => {
  it('are checked after the rate, which counts refused requests, too', async () => {
    const { concurrent_actions: atOnce, actions_per_minute: allowed } = limits
    if (atOnce + 2 > allowed) return
    const accepted = await Promise.all(Array.from({ length: atOnce }, () => invoke(`${pkg}/slow`)))
    expect(accepted.map(({ status }) => status)).toEqual(Array(atOnce).fill(202))
    const refused = await Promise.all(Array.from({ length: allowed - atOnce }, () => invoke(`${pkg}/slow`)))
    expect(errorOf(refused[0] as Answer)).toEqual({
      status: 429,
      error: `Too many concurrent requests in flight (count: ${atOnce}, allowed: ${atOnce}).`,
    })
    expect(errorOf(await invokeNothing())).toEqual(refusal(allowed + 1, allowed))
    for (const { body } of accepted) await session.activation(body.activationId)
    // The limit is reset in the next minute.
    await session.server.nextMinute()
    await eventually(async () => expect((await invoke(`${pkg}/echo`)).status).toBe(202))
  })
})
