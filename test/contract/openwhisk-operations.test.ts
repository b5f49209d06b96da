import { rmSync } from 'node:fs'
import type { Dict } from 'openwhisk'
import type { ApiHost } from '../../src/local/host/server'
import { buildRuntime, clientOf, eventually, startTestHost, temporaryFolder } from './api-host'

/* Every operation of the npm client on every kind of entity. For details, see openwhisk-client.test.ts. */

type Operation = (options?: unknown) => Promise<Dict>

const folder = temporaryFolder()
let host: ApiHost
let ow: ReturnType<typeof clientOf>

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
  ow = clientOf(host)
  await call('actions.update', { name: 'echo', action: 'const main = (params) => params' })
  await call('triggers.update', { name: 'event' })
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

/** The client's types are incomplete. */
function call(operation: string, options?: unknown): Promise<Dict> {
  const [kind = '', name = ''] = operation.split('.')
  const resource = ow[kind as keyof typeof ow] as unknown as Record<string, Operation>
  return resource[name]?.(options) ?? Promise.reject(new Error(`The client has no ${operation}`))
}

/** Status and reason of a rejected call. */
const refusal = (operation: string, options: unknown): Promise<unknown[]> =>
  call(operation, options).then(
    () => ['no error'],
    ({ statusCode, error }) => [statusCode, error?.error],
  )

const missing = [404, expect.stringMatching(/^The requested resource.* does not exist\.$/)]

describe.each<[string, Dict, Dict]>([
  ['actions', { action: 'const main = () => ({ v: 1 })' }, { action: 'const main = () => ({ v: 2 })' }],
  [
    'packages',
    { package: { parameters: [{ key: 'v', value: 1 }] } },
    { package: { parameters: [{ key: 'v', value: 2 }] } },
  ],
  [
    'triggers',
    { trigger: { parameters: [{ key: 'v', value: 1 }] } },
    { trigger: { parameters: [{ key: 'v', value: 2 }] } },
  ],
  ['rules', { trigger: 'event', action: 'echo' }, { trigger: '/_/event', action: '/_/echo' }],
])('%s', (kind, first, second) => {
  const names = ['a', 'b', 'c'].map((letter) => `${kind}-${letter}`)
  const [name = ''] = names
  const all = async (options: Dict = {}) =>
    ((await call(`${kind}.list`, options)) as unknown as Dict[])
      .map((one) => one.name)
      .filter((one) => names.includes(one))

  it('create: creates it, and refuses to create it again', async () => {
    for (const one of names)
      expect(await call(`${kind}.create`, { name: one, ...first })).toMatchObject({
        name: one,
        namespace: 'guest',
        version: '0.0.1',
      })
    expect(await refusal(`${kind}.create`, { name, ...first })).toEqual([409, 'resource already exists'])
  })

  it('get: by name, by full name, and many at once', async () => {
    const found = await call(`${kind}.get`, { name })
    expect(found).toMatchObject({ name, version: '0.0.1' })
    expect(await call(`${kind}.get`, name)).toEqual(found)
    expect(await call(`${kind}.get`, `/guest/${name}`)).toEqual(found)
    expect(((await call(`${kind}.get`, [...names])) as unknown as Dict[]).map((one) => one.name)).toEqual(
      names,
    )
  })

  it('list: latest first, by page', async () => {
    const newest = names.toReversed()
    expect(await all()).toEqual(newest)
    expect(await all({ limit: 2 })).toEqual(newest.slice(0, 2))
    expect(await all({ limit: 1, skip: 1 })).toEqual(newest.slice(1, 2))
  })

  it('update: replaces it by the next version, or creates it', async () => {
    expect(await call(`${kind}.update`, { name, ...second })).toMatchObject({ version: '0.0.2' })
    const { version, parameters = [], exec } = await call(`${kind}.get`, { name })
    expect(version).toBe('0.0.2')
    if (exec) expect(exec.code).toContain('v: 2')
    else if (kind !== 'rules') expect(parameters).toEqual([{ key: 'v', value: 2 }])
    const made = await call(`${kind}.update`, { name: `${kind}-d`, ...first })
    expect(made).toMatchObject({ version: '0.0.1' })
  })

  it('delete: one or many, and reports missing ones', async () => {
    expect(await call(`${kind}.delete`, { name: `${kind}-d` })).toMatchObject({ name: `${kind}-d` })
    await call(`${kind}.delete`, [...names])
    expect(await all()).toEqual([])
    expect(await refusal(`${kind}.get`, { name })).toEqual(missing)
    expect(await refusal(`${kind}.delete`, { name })).toEqual(missing)
  })
})

describe('invoking', () => {
  it('actions.invoke: returns the id, the activation or only the result', async () => {
    const options = { name: 'echo', params: { a: 1 } }
    expect(await call('actions.invoke', options)).toEqual({
      activationId: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    const blocking = { ...options, blocking: true }
    expect(await call('actions.invoke', blocking)).toMatchObject({
      name: 'echo',
      response: { success: true, status: 'success', result: { a: 1 } },
    })
    expect(await call('actions.invoke', { ...blocking, result: true })).toEqual({ a: 1 })
  })

  it('actions.invoke: many, each separately', async () => {
    const answers = (await call('actions.invoke', ['echo', '/guest/echo'])) as unknown as Dict[]
    expect(new Set(answers.map(({ activationId }) => activationId)).size).toBe(2)
  })

  it('actions.invoke: reports a missing action', async () => {
    expect(await refusal('actions.invoke', { name: 'nothing' })).toEqual(missing)
    expect(await refusal('triggers.invoke', { name: 'nothing' })).toEqual(missing)
  })

  it('actions.create: sequences, with annotations', async () => {
    const made = await call('actions.create', {
      name: 'pair',
      sequence: ['/_/echo', '/guest/echo'],
      annotations: { description: 'twice' },
    })
    expect(made.exec).toMatchObject({ kind: 'sequence', components: ['/guest/echo', '/guest/echo'] })
    expect(made.annotations).toContainEqual({ key: 'description', value: 'twice' })
    const options = { name: 'pair', params: { a: 1 }, blocking: true, result: true }
    expect(await call('actions.invoke', options)).toEqual({ a: 1 })
  })

  it('triggers.invoke, rules.enable, rules.disable: only enabled rules run', async () => {
    await call('rules.create', { name: 'on-event', trigger: 'event', action: 'echo' })
    const fire = () => call('triggers.invoke', { name: 'event', params: { fired: true } })
    await call('rules.disable', { name: 'on-event' })
    expect(await call('rules.get', { name: 'on-event' })).toMatchObject({ status: 'inactive' })
    expect((await fire())?.activationId).toBeUndefined()
    await call('rules.enable', { name: 'on-event' })
    expect(await call('rules.get', { name: 'on-event' })).toMatchObject({ status: 'active' })
    const { activationId } = await fire()
    const { logs } = await eventually(() => call('activations.get', { name: activationId }))
    expect(JSON.parse(logs[0])).toMatchObject({ success: true, rule: 'guest/on-event' })
  })
})

describe('activations', () => {
  let id: string
  beforeAll(async () => {
    await call('actions.update', {
      name: 'talker',
      action: 'const main = (params) => (console.log("said"), params)',
    })
    const done = await call('actions.invoke', { name: 'talker', params: { a: 1 }, blocking: true })
    id = done.activationId
  })

  it('list: all, or by name', async () => {
    const listed = (await call('activations.list', { name: 'talker' })) as unknown as Dict[]
    expect(listed).toMatchObject([{ activationId: id, name: 'talker', statusCode: 0 }])
  })

  it('get: the whole record', async () => {
    const found = await call('activations.get', { name: id })
    expect(found).toMatchObject({ activationId: id, response: { result: { a: 1 } } })
    expect(await call('activations.get', id)).toEqual(found)
  })

  it('logs: the output', async () => {
    const { logs } = await call('activations.logs', { name: id })
    expect(logs).toEqual([expect.stringMatching(/^\S+Z stdout: said$/)])
  })

  it('result: the return value', async () => {
    expect(await call('activations.result', { name: id })).toMatchObject({ success: true, result: { a: 1 } })
  })

  it.each(['get', 'logs', 'result'])('%s: tells of what is not there', async (operation) => {
    expect(await refusal(`activations.${operation}`, { name: '0'.repeat(32) })).toEqual(missing)
  })
})

describe('namespaces', () => {
  it('list: the namespace of the key', async () => {
    expect(await call('namespaces.list')).toEqual(['guest'])
  })

  it('get: all its entities', async () => {
    const { actions, packages, triggers, rules } = await call('namespaces.get')
    expect(actions.map(({ name }: Dict) => name)).toContain('echo')
    expect(triggers.map(({ name }: Dict) => name)).toContain('event')
    expect([packages, rules].every(Array.isArray)).toBe(true)
  })
})

describe.each([
  ['alarm', { cron: '0 3 * * *' }, { cron: '0 4 * * *' }],
  ['interval', { minutes: 5 }, { minutes: 6 }],
  ['once', { date: '2100-01-01T00:00:00.000Z' }, { date: '2100-01-02T00:00:00.000Z' }],
])('the feed %s', (feed, first, second) => {
  const options = (params: Dict = {}) => ({
    name: `/whisk.system/alarms/${feed}`,
    trigger: `timed-${feed}`,
    params,
  })
  const config = async () => (await call('feeds.get', options())).response.result.config

  it('create, get, update, delete', async () => {
    await call('triggers.update', { name: `timed-${feed}` })
    const created = await call('feeds.create', options({ ...first, trigger_payload: { a: 1 } }))
    expect(created.response).toMatchObject({ success: true })
    const before = await config()
    expect(before).toMatchObject({ payload: { a: 1 } })
    await call('feeds.update', options(second))
    expect(await config()).not.toEqual(before)
    await call('feeds.delete', options())
    expect((await refusal('feeds.get', options()))[0]).toBe(502)
  })
})

describe('feeds', () => {
  it.each(['create', 'get', 'update', 'delete'])('%s: reports a missing feed', async (operation) => {
    const [status] = await refusal(`feeds.${operation}`, { name: 'nothing', trigger: 'event' })
    expect(status).toBe(404)
  })
})

describe('routes, which need an API gateway, are refused with an explanation:', () => {
  it.each([
    ['list', {}],
    ['get', { name: '/photos' }],
    ['create', { basepath: '/photos', relpath: '/a', operation: 'get', action: 'echo' }],
    ['delete', { name: '/photos' }],
  ])('%s', async (operation, options) => {
    expect(await refusal(`routes.${operation}`, options)).toEqual(missing)
  })
})
