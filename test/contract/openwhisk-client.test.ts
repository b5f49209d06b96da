import { rmSync } from 'node:fs'
import type { Dict } from 'openwhisk'
import type { ApiHost } from '../../src/local/host/server'
import { auth, buildRuntime, clientOf, eventually, startTestHost, temporaryFolder, zip } from './api-host'

const folder = temporaryFolder()
let host: ApiHost
let ow: ReturnType<typeof clientOf>

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
  ow = clientOf(host)
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

/** Deploys code, or an action described by the options. */
const deploy = (name: string, action: string, options: Dict = {}) =>
  ow.actions.update({ name, action, ...options })

/** Invokes and waits. Resolves to the whole activation, also if it failed. */
const run = (name: string, params: Dict = {}): Promise<Dict> =>
  ow.actions.invoke({ name, params, blocking: true }).catch((thrown: Dict) => thrown.error)

const resultOf = async (name: string, params: Dict = {}): Promise<Dict> =>
  (await run(name, params)).response.result

/** Status and error of a rejected call. */
const refusal = (call: Promise<unknown>): Promise<{ status: number; error: string }> =>
  call.then(
    () => ({ status: 200, error: '' }),
    (thrown) => ({ status: thrown.statusCode, error: thrown.error.error }),
  )

const jsonOf = async (answer: Response): Promise<Dict> => (await answer.json()) as Dict

const send = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${host.url}${path}`, {
    ...init,
    headers: {
      authorization: `Basic ${Buffer.from(auth).toString('base64')}`,
      'content-type': 'application/json',
      ...init.headers,
    },
  })

describe('actions', () => {
  it('bumps the version and keeps omitted fields', async () => {
    await deploy('partial', 'const main = () => ({})', { params: { a: 1 }, limits: { memory: 128 } })
    const body = JSON.stringify({ limits: { timeout: 1000 } })
    const answer = await send('/api/v1/namespaces/_/actions/partial?overwrite=true', { method: 'PUT', body })
    expect(await jsonOf(answer)).toMatchObject({
      version: '0.0.2',
      exec: { code: 'const main = () => ({})' },
      parameters: [{ key: 'a', value: 1 }],
      limits: { memory: 128, timeout: 1000, logs: 10, concurrency: 1 },
    })
  })

  it('refuses unknown kinds, missing code and limits out of range', async () => {
    const put = async (body: object): Promise<number> => {
      const path = '/api/v1/namespaces/_/actions/refused'
      return (await send(path, { method: 'PUT', body: JSON.stringify(body) })).status
    }
    const exec = { kind: 'nodejs:20', code: 'const main = () => ({})' }
    expect(await put({ exec: { ...exec, kind: 'python:3' } })).toBe(400)
    expect(await put({ exec: { kind: 'nodejs:20' } })).toBe(400)
    expect(await put({ exec: { kind: 'blackbox' } })).toBe(400)
    expect(await put({})).toBe(400)
    expect(await put({ exec, limits: { memory: 64 } })).toBe(400)
    expect(await put({ exec, limits: { memory: 1024 } })).toBe(400)
    expect(await put({ exec, limits: { timeout: 300_001 } })).toBe(400)
    expect(await put({ exec, limits: { concurrency: 2 } })).toBe(400)
  })

  it('refuses a name taken in another collection', async () => {
    await ow.triggers.update({ name: 'taken' })
    const answer = await refusal(deploy('taken', 'const main = () => ({})'))
    expect(answer).toEqual({
      status: 409,
      error: 'Resource by this name exists but is not in this collection.',
    })
  })

  it('lists pages, and a package by its trailing slash', async () => {
    await ow.packages.update({ name: 'listed' })
    for (const name of ['listed/one', 'listed/two', 'listed/three'])
      await deploy(name, 'const main = () => ({})')
    const page = await ow.actions.list({ limit: 2, skip: 1 })
    expect(page.map(({ name }: Dict) => name)).toEqual(['two', 'one'])
    const inside = await send('/api/v1/namespaces/_/actions/listed/?limit=0')
    expect((await jsonOf(inside)).map(({ name }: Dict) => name)).toEqual(['three', 'two', 'one'])
    expect((await send('/api/v1/namespaces/_/actions?limit=201')).status).toBe(400)
    const count = await send('/api/v1/namespaces/_/triggers?count=true')
    expect(await jsonOf(count)).toEqual({ triggers: 1 })
  })

  it('answers 404 for a missing package, and 400 for an invalid name', async () => {
    expect((await refusal(deploy('nowhere/a', 'x'))).error).toBe('The requested resource does not exist.')
    expect((await refusal(deploy('a$b', 'x'))).status).toBe(400)
  })

  it('refuses code above 48 MiB and parameters above 1 MiB', async () => {
    const big = await refusal(deploy('big', 'x'.repeat(48 * 1024 * 1024 + 1)))
    expect(big).toEqual({ status: 413, error: 'exec larger than allowed: 50331649 > 50331648 bytes.' })
    const params = { text: 'x'.repeat(1024 * 1024) }
    expect((await refusal(deploy('big', 'x', { params }))).status).toBe(413)
    expect((await refusal(ow.actions.invoke({ name: 'big', params }))).status).toBe(413)
    expect((await refusal(ow.triggers.invoke({ name: 'taken', params }))).status).toBe(413)
  })
})

describe('invocations', () => {
  const echo = 'function main(params) { return params }'

  it('runs sync and async code, archives with a package.json, and modules', async () => {
    const files = {
      'package.json': '{"main": "lib/entry.js"}',
      'lib/entry.js':
        'exports.handler = async () => ({ text: require("./text"), cwd: process.cwd() === require("path").dirname(__dirname) })',
      'lib/text.js': 'module.exports = "zipped"',
    }
    const options = { kind: 'nodejs:20', exec: { main: 'handler' } }
    await ow.actions.update({
      name: 'zipped',
      action: Buffer.from(zip(files), 'base64'),
      ...options,
    } as never)
    expect(await resultOf('zipped')).toEqual({ text: 'zipped', cwd: true })

    const module = {
      'package.json': '{"type": "module"}',
      'index.js': 'export const main = () => ({ esm: true })',
    }
    await ow.actions.update({ name: 'esm', action: Buffer.from(zip(module), 'base64') } as never)
    expect(await resultOf('esm')).toEqual({ esm: true })

    await deploy('async', 'exports.main = async ({ n }) => ({ n: n + 1 })')
    expect(await resultOf('async', { n: 1 })).toEqual({ n: 2 })
    await deploy('nothing', 'const main = () => {}')
    expect(await resultOf('nothing')).toEqual({})
    await deploy('array', 'const main = () => [1, 2]')
    // An array is returned without the activation, with or without `result`.
    expect(await run('array')).toEqual([1, 2])
  })

  it('merges package, binding, action and invocation parameters, the later over the earlier', async () => {
    await ow.packages.update({
      name: 'base',
      package: {
        parameters: [
          { key: 'a', value: 'package' },
          { key: 'b', value: 'package' },
          { key: 'c', value: 'package' },
        ],
      },
    } as never)
    await deploy('base/echo', echo, { params: { c: 'action', d: 'action' } })
    const binding = { namespace: '_', name: 'base' }
    await ow.packages.update({
      name: 'bound',
      package: { binding, parameters: [{ key: 'b', value: 'binding' }] },
    } as never)
    expect(await resultOf('base/echo', { d: 'call' })).toEqual({
      a: 'package',
      b: 'package',
      c: 'action',
      d: 'call',
    })
    expect(await resultOf('bound/echo')).toEqual({ a: 'package', b: 'binding', c: 'action', d: 'action' })
    const bound = await ow.packages.get('bound')
    expect(bound).toMatchObject({
      binding: { namespace: 'guest', name: 'base' },
      actions: [{ name: 'echo' }],
    })
    expect((await refusal(deploy('bound/other', echo))).status).toBe(400)
    expect((await refusal(ow.packages.delete('base'))).error).toBe(
      'Package not empty (contains 1 entity). Set force param or delete package contents.',
    )
  })

  it('passes the same environment as a real server, and nothing of the host’s', async () => {
    process.env.A_SECRET_OF_THE_HOST = 'secret'
    const code = 'const main = () => ({ ...process.env })'
    await deploy('env', code)
    const { response, activationId, version } = await run('env')
    const { PATH, HOME, LANG, TMPDIR, ...env } = response.result
    expect(env).toEqual({
      __OW_API_HOST: host.url,
      __OW_NAMESPACE: 'guest',
      __OW_ACTION_NAME: '/guest/env',
      __OW_ACTION_VERSION: version,
      __OW_ACTIVATION_ID: activationId,
      __OW_TRANSACTION_ID: expect.stringMatching(/^\w{32}$/),
      __OW_DEADLINE: expect.stringMatching(/^\d{13}$/),
    })
    expect(TMPDIR).toBe(HOME)
    await deploy('env', code, { annotations: { 'provide-api-key': true } })
    expect((await resultOf('env')).__OW_API_KEY).toBe(auth)
    for (const [value, key] of [
      [false, undefined],
      [0, undefined],
      ['yes', auth],
    ]) {
      await deploy('env', code, { annotations: { 'provide-api-key': value } })
      expect((await resultOf('env')).__OW_API_KEY).toBe(key)
    }
  })

  it('passes the key to actions without the annotation, which new actions have', async () => {
    const code = 'const main = () => ({ key: process.env.__OW_API_KEY })'
    await deploy('old', code)
    expect(await resultOf('old')).toEqual({})
    await ow.actions.update({ name: 'old', action: { delAnnotations: ['provide-api-key'] } } as never)
    expect(await resultOf('old')).toEqual({ key: auth })
  })

  it('passes parameters marked init as environment variables', async () => {
    const exec = {
      kind: 'nodejs:20',
      code: 'const main = (p) => ({ p, A: process.env.A, B: process.env.B })',
    }
    const parameters = [
      { key: 'A', value: 'text', init: true },
      { key: 'B', value: [1], init: true },
      { key: 'c', value: 1 },
    ]
    await send('/api/v1/namespaces/_/actions/inits', {
      method: 'PUT',
      body: JSON.stringify({ exec, parameters }),
    })
    expect(await resultOf('inits')).toEqual({ p: { c: 1 }, A: 'text', B: '[1]' })
  })

  it('lets an action call its host back', async () => {
    const call = `const main = async () => {
      const url = process.env.__OW_API_HOST + '/api/v1/namespaces/_/actions/async?blocking=true&result=true'
      const authorization = 'Basic ' + Buffer.from(process.env.__OW_API_KEY).toString('base64')
      return (await fetch(url, { method: 'POST', body: '{"n": 41}', headers: { authorization, 'content-type': 'application/json' } })).json()
    }`
    await deploy('caller', call, { annotations: { 'provide-api-key': true } })
    expect(await resultOf('caller')).toEqual({ n: 42 })
  })

  it('answers 202 immediately if not blocking, and when a blocking call takes too long', async () => {
    await deploy('slow', 'const main = () => new Promise((done) => setTimeout(done, 700, { late: true }))')
    const { activationId } = await ow.actions.invoke({ name: 'slow' })
    expect((await refusal(ow.activations.get({ name: activationId }))).status).toBe(404)
    const path = '/api/v1/namespaces/_/actions/slow?blocking=true&timeout=100'
    const answer = await send(path, { method: 'POST' })
    expect(answer.status).toBe(202)
    const { activationId: second } = await jsonOf(answer)
    expect(answer.headers.get('x-openwhisk-activation-id')).toBe(second)
    for (const id of [activationId, second]) {
      const result = await eventually(() => ow.activations.result({ name: id }))
      expect(result).toMatchObject({ success: true, result: { late: true } })
    }
  })

  it.each([
    [
      'an error it returns',
      'const main = () => ({ error: { code: 7 }, other: 1 })',
      'application error',
      { code: 7 },
    ],
    [
      'a rejection',
      'const main = async () => { throw new TypeError("no") }',
      'application error',
      expect.objectContaining({ name: 'TypeError', message: 'no' }),
    ],
    [
      'what it throws',
      'const main = () => { throw new Error("no") }',
      'action developer error',
      'An error has occurred: Error: no',
    ],
    [
      'a result that is no object',
      'const main = () => "text"',
      'action developer error',
      'The action did not return a dictionary or array.',
    ],
    [
      'no entry point',
      'const other = 1',
      'action developer error',
      expect.stringContaining("Action entrypoint 'main' is not a function."),
    ],
    [
      'code that does not parse',
      'const main = (',
      'action developer error',
      expect.stringContaining('SyntaxError'),
    ],
    ['no code', '', 'action developer error', 'Missing main/no code to execute.'],
    [
      'its exit',
      'const main = () => process.exit(0)',
      'action developer error',
      'The action did not produce a valid response and exited unexpectedly.',
    ],
    [
      'its exit at the start',
      'process.exit(1)',
      'action developer error',
      'The action did not initialize and exited unexpectedly.',
    ],
    [
      'an archive without an entry',
      zip({ 'a.txt': '' }),
      'action developer error',
      expect.stringContaining('Initialization has failed'),
    ],
    [
      'an archive that leaves its folder',
      zip({ 'index.js': 'exports.main = () => ({})', '../../escaped.js': '' }),
      'action developer error',
      expect.stringContaining('outside of the archive'),
    ],
  ])('reports %s', async (what, code, status, error) => {
    const name = `fails ${what}`
    await ow.actions.update({ name, action: code, kind: 'nodejs:20' } as never)
    const activation = await run(name)
    expect(activation.response).toMatchObject({ status, success: false, result: { error } })
    expect(Object.keys(activation.response.result)).toEqual(['error'])
    expect(await refusal(ow.actions.invoke({ name, blocking: true }))).toMatchObject({ status: 502 })
  })

  it('truncates a result above 1 MiB', async () => {
    await deploy('wordy', 'const main = () => ({ text: "x".repeat(1024 * 1024) })')
    const { error } = await resultOf('wordy')
    expect(error).toMatch(
      /^The action produced a response that exceeded the allowed length: 1048587 > 1048576 bytes/,
    )
  })

  it('keeps the output of an action, in order and up to its limit', async () => {
    const code = `console.log('loaded')
      const main = () => { console.log('out\\nput'); console.error('err'); process.stdout.write('no line feed'); return {} }`
    await deploy('printing', code)
    const { activationId } = await run('printing')
    const { logs } = await eventually(() => ow.activations.logs({ name: activationId }) as Promise<Dict>)
    const texts = logs.map((line: string) => line.replace(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z /, ''))
    expect(
      texts.filter((text: string) => text.startsWith('stdout')).map((text: string) => text.slice(8)),
    ).toEqual(['loaded', 'out', 'put', 'no line feed'])
    expect(texts).toContain('stderr: err')

    await deploy(
      'chatty',
      'const main = () => { for (let i = 0; i < 1e5; i++) console.log("twenty characters.."); return {} }',
      { limits: { logs: 1 } },
    )
    const chatty = await run('chatty')
    const cut = (await ow.activations.logs({ name: chatty.activationId })) as Dict
    expect(cut.logs.at(-1)).toMatch(
      /Logs were truncated because the total bytes size exceeds the limit of 1048576 bytes\.$/,
    )
  })

  it('protects the parameters of an action marked final', async () => {
    await deploy('final', echo, { params: { fixed: 1 }, annotations: { final: true } })
    expect((await refusal(ow.actions.invoke({ name: 'final', params: { fixed: 2 } }))).status).toBe(400)
    expect(await resultOf('final', { free: 2 })).toEqual({ fixed: 1, free: 2 })
  })
})

describe('sequences', () => {
  const sequence = (name: string, ...actions: string[]) =>
    ow.actions.update({ name, sequence: actions.map((action) => `/_/${action}`) } as never)

  it('passes results on, component by component', async () => {
    await deploy('add', 'const main = ({ n }) => ({ n: n + 1 })', { limits: { memory: 512 } })
    await deploy('double', 'const main = ({ n }) => ({ n: n * 2 })')
    await sequence('inner', 'add', 'double')
    await sequence('outer', 'inner', 'add')
    const outer = await run('outer', { n: 1 })
    expect(outer).toMatchObject({
      response: { result: { n: 5 } },
      logs: [expect.any(String), expect.any(String)],
    })
    expect(outer.annotations).toContainEqual({ key: 'topmost', value: true })
    expect(outer.annotations).toContainEqual({
      key: 'limits',
      value: expect.objectContaining({ memory: 512 }),
    })
    const inner = await ow.activations.get({ name: outer.logs[0] })
    expect(inner).toMatchObject({ name: 'inner', cause: outer.activationId })
    expect(inner.annotations).toContainEqual({ key: 'causedBy', value: 'sequence' })
    expect(inner.annotations).toContainEqual({ key: 'topmost', value: false })
  })

  it('stops at a component with an error', async () => {
    await deploy('failing', 'const main = () => ({ error: "stop" })')
    await sequence('stopped', 'failing', 'add')
    const { response, logs } = await run('stopped', { n: 1 })
    expect(response).toMatchObject({ status: 'application error', result: { error: 'stop' } })
    expect(logs).toHaveLength(1)
  })

  it('refuses to be empty, recursive or too long, or to have missing components', async () => {
    const reason = async (...actions: string[]) => (await refusal(sequence('inner', ...actions))).error
    expect(await reason('nope')).toBe('Sequence component does not exist.')
    expect(await reason('outer')).toBe('Sequence may not refer to itself.')
    expect(await reason(...Array(51).fill('add'))).toBe('Too many actions in the sequence.')
  })
})

describe('triggers, rules and feeds', () => {
  const linesOf = async (activationId: string): Promise<Dict[]> => {
    const { logs } = await eventually(() => ow.activations.get({ name: activationId }))
    return (logs ?? []).map((line: string) => JSON.parse(line))
  }

  it('invokes the actions of active rules with the trigger’s and the event’s parameters', async () => {
    await deploy('seen', 'const main = (params) => params')
    await ow.triggers.update({
      name: 'event',
      trigger: {
        parameters: [
          { key: 'a', value: 1 },
          { key: 'b', value: 1 },
        ],
      },
    } as never)
    expect((await ow.triggers.invoke({ name: 'event' })).activationId).toBeUndefined()

    await ow.rules.update({ name: 'on-event', trigger: 'event', action: '/_/seen' })
    const { activationId } = await ow.triggers.invoke({ name: 'event', params: { b: 2 } })
    const [line] = await linesOf(activationId)
    expect(line).toMatchObject({ statusCode: 0, success: true, rule: 'guest/on-event', action: 'guest/seen' })
    const result = await eventually(() => ow.activations.result({ name: line?.activationId }))
    expect(result).toMatchObject({ result: { a: 1, b: 2 } })
  })

  it('logs failed rules in the trigger’s activation, with reasons', async () => {
    await deploy('gone', 'const main = () => ({})')
    await ow.rules.update({ name: 'to-gone', trigger: 'event', action: 'gone' })
    await ow.rules.update({ name: 'switched-off', trigger: 'event', action: 'seen' })
    await ow.rules.disable({ name: 'switched-off' })
    await ow.actions.delete('gone')
    const { activationId } = await ow.triggers.invoke({ name: 'event' })
    expect(await linesOf(activationId)).toEqual([
      expect.objectContaining({ success: true }),
      expect.objectContaining({
        statusCode: 1,
        success: false,
        error: 'The requested resource does not exist.',
      }),
      expect.objectContaining({
        success: false,
        error: "Rule 'guest/switched-off' is inactive, action 'guest/seen' was not activated.",
      }),
    ])
    await ow.rules.disable({ name: 'on-event' })
    await ow.rules.disable({ name: 'to-gone' })
    expect((await ow.triggers.invoke({ name: 'event' })).activationId).toBeUndefined()
  })

  it('moves a rule to another trigger, and keeps it when its trigger is deleted', async () => {
    await ow.triggers.update({ name: 'other' })
    await ow.rules.enable({ name: 'on-event' })
    await ow.rules.update({ name: 'on-event', trigger: 'other', action: 'seen' })
    const rules = async (name: string) => Object.keys(((await ow.triggers.get(name)) as Dict).rules)
    expect(await rules('event')).not.toContain('guest/on-event')
    expect(await rules('other')).toEqual(['guest/on-event'])
    await ow.triggers.delete('other')
    expect(await ow.rules.get('on-event')).toMatchObject({ status: 'inactive' })
    expect((await refusal(ow.rules.enable({ name: 'on-event' }))).status).toBe(404)
    expect((await refusal(ow.rules.update({ name: 'new', trigger: 'other', action: 'seen' }))).status).toBe(
      400,
    )
  })

  it('treats a feed as an action', async () => {
    await ow.packages.update({ name: 'feeds' })
    await deploy('feeds/feed', 'const main = ({ authKey, ...params }) => params', {
      annotations: { feed: true },
    })
    await ow.triggers.update({
      name: 'fed',
      trigger: { annotations: [{ key: 'feed', value: 'feeds/feed' }] },
    } as never)
    const options = { name: 'feeds/feed', trigger: 'fed', params: { bucket: 'images' } }
    const created = (await ow.feeds.create(options)) as Dict
    expect(created.response.result).toEqual({
      lifecycleEvent: 'CREATE',
      triggerName: '/_/fed',
      bucket: 'images',
    })
    const deleted = (await ow.feeds.delete(options)) as Dict
    expect(deleted.response.result).toMatchObject({ lifecycleEvent: 'DELETE' })
    expect(((await ow.packages.get('feeds')) as Dict).feeds).toMatchObject([{ name: 'feed' }])
  })
})

describe('activations', () => {
  it('are listed by name, time and page', async () => {
    await ow.packages.update({ name: 'timed' })
    await deploy('timed/tick', 'const main = () => ({})')
    const ids: string[] = []
    const starts: number[] = []
    for (let i = 0; i < 3; i++) {
      const { activationId, start } = await run('timed/tick')
      ids.unshift(activationId)
      starts.unshift(start)
    }
    const list = async (options: Dict): Promise<string[]> =>
      (await ow.activations.list(options as never)).map(({ activationId }) => activationId)
    expect(await list({ name: 'timed/tick' })).toEqual(ids)
    expect(await list({ name: 'timed/tick', limit: 1, skip: 1 })).toEqual([ids[1]])
    expect(await list({ name: 'timed/tick', since: starts[1] })).toEqual(ids.slice(0, 2))
    expect(await list({ name: 'timed/tick', upto: starts[1] })).toEqual(ids.slice(1))
    const [whole] = await ow.activations.list({ name: 'timed/tick', limit: 1, docs: true } as never)
    expect(whole).toMatchObject({ logs: [], response: { result: {} } })
    expect((await send('/api/v1/namespaces/_/activations/nonsense')).status).toBe(400)
  })
})

describe('authentication and errors', () => {
  it('requires the namespace’s key, and allows only its namespace', async () => {
    const without = await fetch(`${host.url}/api/v1/namespaces`)
    expect(without.status).toBe(401)
    expect(await jsonOf(without)).toMatchObject({ error: expect.stringContaining('requires authentication') })
    const wrong = await refusal(clientOf(host, `${auth}x`).actions.list())
    expect(wrong).toEqual({ status: 401, error: 'The supplied authentication is invalid' })
    const other = await send('/api/v1/namespaces/other/actions/a')
    expect(await jsonOf(other)).toMatchObject({
      error: "The supplied authentication is not authorized to access 'other/a'.",
    })
  })

  it('describes itself without a key', async () => {
    const answer = await fetch(host.url)
    expect(answer.headers.get('content-type')).toBe('application/json')
    const { runtimes } = await jsonOf(answer)
    expect(runtimes.nodejs).toContainEqual(expect.objectContaining({ kind: 'nodejs:20', default: true }))
  })

  it('accepts doubled slashes, and answers 400 to malformed bodies', async () => {
    expect((await send('//api//v1/namespaces//_/actions')).status).toBe(200)
    expect((await send('/api/v1/namespaces/_/actions/x', { method: 'PUT', body: '{' })).status).toBe(400)
    expect((await send('/api/v1/namespaces/_/actions/async', { method: 'POST', body: '[]' })).status).toBe(
      400,
    )
    expect((await send('/api/v1/nothing/here')).status).toBe(404)
  })
})
