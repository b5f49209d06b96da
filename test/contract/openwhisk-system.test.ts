import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dict } from 'openwhisk'
import { stringify } from 'yaml'
import { type ApiHost, type ApiHostOptions, generousLimits } from '../../src/local/host/server'
import { type Change, deployManifest, undeployManifest } from '../../src/openwhisk/deploy/deploy'
import { readManifest } from '../../src/openwhisk/manifest'
import { schedule, unschedule } from '../../src/openwhisk/schedule'
import { auth, buildRuntime, clientOf, eventually, startTestHost, temporaryFolder } from './api-host'

const folder = temporaryFolder()
const dataDir = join(folder, 'data')
let runtime: string
let host: ApiHost
let ow: ReturnType<typeof clientOf>

async function start(options: Partial<ApiHostOptions> = {}): Promise<void> {
  host = await startTestHost(runtime, { dataDir, ...options })
  ow = clientOf(host)
}

beforeAll(async () => {
  runtime = buildRuntime(folder)
  await start()
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

const send = async (
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; answer: Dict }> => {
  const response = await fetch(`${host.url}/api/v1/namespaces/${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(auth).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: body && JSON.stringify(body),
  })
  return { status: response.status, answer: (await response.json()) as Dict }
}

const run = (name: string, params: Dict = {}): Promise<Dict> =>
  ow.actions.invoke({ name, params, blocking: true, result: true })

const activationsOf = (name: string): Promise<Dict[]> =>
  ow.activations.list({ name, docs: true } as Dict) as unknown as Promise<Dict[]>

const resultsOf = async (name: string): Promise<Dict[]> =>
  (await activationsOf(name)).map(({ response }) => response.result)

/** Stored entities. */
const entities = (): Dict[] => JSON.parse(readFileSync(join(dataDir, 'entities.json'), 'utf8'))

/** Contents of all files in the data folder. */
const written = (): string =>
  readdirSync(dataDir, { recursive: true })
    .map((name) => join(dataDir, String(name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')

describe('/whisk.system/utils', () => {
  it('is readable for everybody', async () => {
    const named = async (path: string) =>
      (await send('GET', path)).answer.map(({ name }: Dict) => name).sort()
    expect(await named('whisk.system/packages')).toEqual(['alarms', 'utils'])
    expect(await named('whisk.system/actions/utils/?limit=0')).toEqual(['echo', 'sort'])
    expect((await send('GET', 'whisk.system/packages/utils')).answer).toMatchObject({
      namespace: 'whisk.system',
      publish: true,
      feeds: [],
      actions: [{ name: 'echo' }, { name: 'sort' }],
    })
    const { feeds } = (await send('GET', 'whisk.system/packages/alarms')).answer
    expect(feeds.map(({ name }: Dict) => name)).toEqual(['alarm', 'interval', 'once'])
    expect((await send('GET', 'whisk.system/actions/utils/echo')).answer).toMatchObject({
      namespace: 'whisk.system/utils',
      exec: { kind: 'nodejs:20', code: expect.stringContaining('main') },
    })
  })

  it('echoes and sorts, blocking or not', async () => {
    expect(await run('/whisk.system/utils/echo', { a: { b: [1] } })).toEqual({ a: { b: [1] } })
    const sorted = { lines: ['a', 'b', 'c'], length: 3 }
    expect(await run('/whisk.system/utils/sort', { lines: ['b', 'c', 'a'] })).toEqual(sorted)
    expect(await run('/whisk.system/utils/sort')).toEqual({ lines: [], length: 0 })
    const { activationId } = await ow.actions.invoke({ name: '/whisk.system/utils/echo', params: { a: 1 } })
    const activation: Dict = await eventually(() => ow.activations.get({ name: activationId }))
    expect(activation).toMatchObject({ namespace: 'guest', response: { result: { a: 1 } } })
    expect(activation.annotations).toContainEqual({ key: 'path', value: 'whisk.system/utils/echo' })
  })

  it('works in sequences, rules and bindings', async () => {
    const components = ['/whisk.system/utils/sort', '/whisk.system/utils/echo']
    await ow.actions.update({ name: 'sorted', action: { exec: { kind: 'sequence', components } } } as never)
    expect(await run('sorted', { lines: ['b', 'a'] })).toEqual({ lines: ['a', 'b'], length: 2 })

    await ow.triggers.update({ name: 'echoed' })
    await ow.rules.update({ name: 'echo-rule', trigger: '/_/echoed', action: '/whisk.system/utils/echo' })
    await ow.triggers.invoke({ name: 'echoed', params: { a: 1 } })
    await eventually(async () => {
      expect(await resultsOf('utils/echo')).toContainEqual(expect.objectContaining({ a: 1 }))
    })

    const binding = { namespace: 'whisk.system', name: 'utils' }
    const parameters = [{ key: 'bound', value: true }]
    await ow.packages.update({ name: 'mine', package: { binding, parameters } } as never)
    expect(await ow.packages.get({ name: 'mine' })).toMatchObject({ binding, actions: [{}, {}] })
    expect(await run('mine/echo', { a: 1 })).toEqual({ a: 1, bound: true })
  })

  it('is read-only and has no other actions', async () => {
    const exec = { kind: 'nodejs:20', code: 'const main = () => ({})' }
    const refused = async (method: string, path: string, body?: object) => {
      const { status, answer } = await send(method, path, body)
      return [status, answer.error]
    }
    const forbidden = (what: string) => [
      403,
      `The supplied authentication is not authorized to access '${what}'.`,
    ]
    const system = 'whisk.system'
    expect(await refused('PUT', `${system}/packages/utils?overwrite=true`, {})).toEqual(
      forbidden(`${system}/utils`),
    )
    expect(await refused('DELETE', `${system}/packages/utils`)).toEqual(forbidden(`${system}/utils`))
    expect(await refused('PUT', `${system}/actions/utils/echo?overwrite=true`, { exec })).toEqual(
      forbidden(`${system}/utils`),
    )
    expect(await refused('PUT', `${system}/actions/mine`, { exec })).toEqual(forbidden(`${system}/mine`))
    expect(await refused('DELETE', `${system}/actions/utils/echo`)).toEqual(forbidden(`${system}/utils`))
    expect(await refused('PUT', `${system}/triggers/t`, {})).toEqual(forbidden(`${system}/t`))
    expect(await refused('GET', `${system}/activations`)).toEqual(forbidden(system))
    expect(await refused('GET', `${system}/packages/none`)).toEqual(forbidden(`${system}/none`))
    expect(await refused('GET', `${system}/packages/constructor`)).toEqual(forbidden(`${system}/constructor`))
    expect(await refused('POST', `${system}/actions/none/a`, {})).toEqual(forbidden(`${system}/none`))
    expect((await refused('POST', `${system}/actions/utils/none`, {}))[0]).toBe(404)
    const components = ['/whisk.system/none/a']
    const sequence = { exec: { kind: 'sequence', components } }
    expect(await refused('PUT', '_/actions/s', sequence)).toEqual(forbidden(`${system}/none`))
    expect((await fetch(`${host.url}/api/v1/web/whisk.system/utils/echo.json`)).status).toBe(404)
  })

  it('is not stored with the user’s entities', async () => {
    await ow.packages.update({ name: 'kept' })
    const names = (await ow.packages.list()).map(({ name }) => name)
    expect(names).not.toContain('utils')
    expect(entities().filter(({ namespace }) => namespace !== 'guest')).toEqual([])
  })
})

describe('/whisk.system/alarms', () => {
  const [alarm, interval, once] = ['alarm', 'interval', 'once'].map((name) => `/whisk.system/alarms/${name}`)

  interface Feeds extends Omit<typeof ow.feeds, 'get'> {
    get(options: Dict): Promise<Dict>
    update(options: Dict): Promise<Dict>
  }
  /** The client's types are incomplete. */
  const feeds = () => ow.feeds as unknown as Feeds

  /** Answer of the feed to READ. */
  const read = async (name: string | undefined, trigger: string): Promise<Dict> =>
    (await feeds().get({ name, trigger })).response.result

  const failure = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'none',
      (thrown) => thrown.error.response.result.error.error,
    )

  /** A trigger with a rule that invokes `echo`. */
  async function triggerOf(name: string): Promise<void> {
    await ow.triggers.update({ name })
    await ow.rules.update({ name: `${name}-rule`, trigger: name, action: '/whisk.system/utils/echo' })
  }

  it('supports the lifecycle of a feed with the npm client, by its own name and through a binding', async () => {
    await triggerOf('life')
    const binding = { namespace: 'whisk.system', name: 'alarms' }
    await ow.packages.update({ name: 'clock', package: { binding } } as never)
    const params = { minutes: 5, trigger_payload: { a: 1 } }
    await feeds().create({ name: interval, trigger: 'life', params } as never)
    expect(await read(interval, 'life')).toMatchObject({
      config: { name: 'life', namespace: 'guest', minutes: 5, payload: { a: 1 } },
      status: { active: true },
    })
    const changed = { name: 'clock/interval', trigger: 'life', params: { minutes: 6 } }
    await feeds().update(changed)
    expect((await read(interval, 'life')).config.minutes).toBe(6)
    expect(await failure(feeds().create(changed))).toBe('error creating alarm trigger.')
    await feeds().delete({ name: 'clock/interval', trigger: 'life' })
    expect(await failure(read(interval, 'life'))).toBe('could not find trigger /guest/life in the database')
    expect(await failure(feeds().create({ ...changed, params: {} }))).toBe(
      'interval trigger feed is missing the minutes parameter',
    )
  })

  it('requires the key of the namespace, and does not store it', async () => {
    await triggerOf('secret')
    const invoke = (authKey: string | undefined) => {
      const params = { lifecycleEvent: 'CREATE', triggerName: '/_/secret', minutes: 5, authKey }
      return ow.actions.invoke({ name: '/whisk.system/alarms/interval', params, blocking: true })
    }
    for (const authKey of [undefined, 'wrong:key']) {
      expect(await failure(invoke(authKey))).toBe('Trigger authentication request failed.')
    }
    await invoke(auth)
    expect(written()).toContain('"minutes":5')
    expect(written()).not.toContain(auth.split(':')[1])
  })

  it('is not part of its trigger as shown, and survives its updates', async () => {
    const { answer } = await send('PUT', '_/triggers/secret?overwrite=true', {})
    expect(answer).toMatchObject({ name: 'secret', version: '0.0.2' })
    expect(answer).not.toHaveProperty('alarm')
    expect((await read(interval, 'secret')).config.minutes).toBe(5)
  })

  it('really fires once', async () => {
    await triggerOf('soon')
    const payload = { from: 'soon' }
    // Retry if the feed took so long that the date had passed.
    await eventually(() => {
      const params = { date: Date.now() + 1500, trigger_payload: payload }
      return feeds().create({ name: once, trigger: 'soon', params } as never)
    })
    await eventually(async () => {
      expect(await resultsOf('soon')).toEqual([payload])
      // Equivalent to the feed's request.
      const headers = { accept: 'application/json', connection: 'close', host: new URL(host.url).host }
      const __ow_headers = { ...headers, authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
      expect(await resultsOf('utils/echo')).toContainEqual({ ...payload, __ow_headers })
    })
    expect((await read(once, 'soon')).status.active).toBe(false)
  })

  it('is deployed from a manifest, again without and with a change, and undeployed', async () => {
    const manifestOf = async (minutes: number) => {
      const parts = {
        version: '1.0',
        license: 'Apache-2.0',
        sequences: { sorted: { actions: '/whisk.system/utils/sort, /whisk.system/utils/echo' } },
        triggers: { polled: { feed: interval, inputs: { minutes, trigger_payload: 'now' } } },
        rules: { 'on-polled': { trigger: 'polled', action: 'sorted' } },
      }
      const path = join(folder, 'manifest.yaml')
      writeFileSync(path, stringify({ project: { name: 'p', packages: { p: parts } } }))
      return readManifest(path, {})
    }
    const address = { apiHost: host.url, auth }
    const changed = async (changes: AsyncIterable<Change>): Promise<string[]> => {
      const found: string[] = []
      for await (const { name, change } of changes) if (change !== 'none') found.push(`${change} ${name}`)
      return found
    }
    const all = ['p', 'p/sorted', 'polled', 'on-polled']
    const created = await changed(deployManifest(await manifestOf(5), address))
    expect(created).toEqual(all.map((name) => `create ${name}`))
    expect((await read(interval, 'polled')).config).toMatchObject({ minutes: 5, payload: { payload: 'now' } })
    expect(await changed(deployManifest(await manifestOf(5), address))).toEqual([])
    expect(await changed(deployManifest(await manifestOf(6), address))).toEqual(['update polled'])
    expect((await read(interval, 'polled')).config.minutes).toBe(6)
    expect(await changed(undeployManifest(await manifestOf(6), address))).toHaveLength(all.length)
    expect(await failure(read(interval, 'polled'))).toBe('Trigger authentication request failed.')
    expect(JSON.stringify(entities())).not.toContain('"minutes":6')
  })

  it('is ended in the next minute if the rate limit is used up', async () => {
    let time = Date.UTC(2026, 0, 1, 12)
    let step = 0
    // Each reading advances the clock; each invocation reads it.
    const now = () => {
      time += step
      return time
    }
    const limits = { ...generousLimits, invocationsPerMinute: 3 }
    const narrow = await startTestHost(runtime, { dataDir: join(folder, 'narrow'), now, limits })
    try {
      const address = { apiHost: narrow.url, auth }
      const scheduled = { trigger: '/guest/photos', action: '/whisk.system/utils/echo' }
      expect(await schedule(address, { ...scheduled, minutes: 5, payload: {} })).toBe(true)
      const client = clientOf(narrow)
      expect((await client.triggers.list()).map(({ name }) => name)).toEqual(['photos-poll'])
      await client.actions.invoke({ name: '/whisk.system/utils/echo' })
      await expect(client.actions.invoke({ name: '/whisk.system/utils/echo' })).rejects.toThrow('Too many')
      step = 20_000
      await unschedule(address, '/guest/photos')
      expect([await client.triggers.list(), await client.rules.list()]).toEqual([[], []])
    } finally {
      await narrow.close()
    }
  })

  it('survives a restart, and fires once for what was missed', async () => {
    await triggerOf('nightly')
    const params = { cron: '0 3 * * *', trigger_payload: 'night' }
    await feeds().create({ name: alarm, trigger: 'nightly', params } as never)
    await host.close()
    // Noon, days later: nothing else is due while this clock stands still.
    const noon = new Date(Date.now() + 3 * 24 * 3600_000).setUTCHours(12, 0, 0, 0)
    await start({ now: () => noon })
    const fires = await eventually(async () => {
      const found = await activationsOf('nightly')
      expect(found).not.toEqual([])
      return found
    })
    expect(fires.map(({ response }) => response.result)).toEqual([{ payload: 'night' }])
    expect(await read(alarm, 'nightly')).toMatchObject({
      config: { cron: params.cron },
      status: { active: true },
    })
  })
})
