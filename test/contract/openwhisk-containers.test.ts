import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import type { Dict } from 'openwhisk'
import { Activations } from '../../src/local/host/activations'
import { newActivationId } from '../../src/local/host/ids'
import {
  type ApiHost,
  type ApiHostOptions,
  generousLimits,
  openwhiskLimits,
} from '../../src/local/host/server'
import { auth, buildRuntime, clientOf, eventually, startTestHost, temporaryFolder, zip } from './api-host'

const folder = temporaryFolder()
const hosts: ApiHost[] = []
let runtime: string

beforeAll(() => {
  runtime = buildRuntime(folder)
})
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close()
})
afterAll(() => rmSync(folder, { recursive: true }))

async function start(options: Partial<ApiHostOptions> = {}) {
  const host = await startTestHost(runtime, options)
  hosts.push(host)
  const ow = clientOf(host)
  return {
    host,
    ow,
    deploy: (name: string, action: string, more: Dict = {}) =>
      ow.actions.update({ name, action, ...more } as never),
    run: (name: string, params: Dict = {}): Promise<Dict> =>
      ow.actions.invoke({ name, params, blocking: true }).catch((thrown: Dict) => thrown.error),
  }
}

const close = (host: ApiHost): Promise<void> => {
  hosts.splice(hosts.indexOf(host), 1)
  return host.close()
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const expectGone = (pids: number[]) => eventually(() => expect(pids.filter(isAlive)).toEqual([]))

const pidCode =
  'let runs = 0; const main = async ({ ms = 0 }) => { await new Promise((done) => setTimeout(done, ms)); return { pid: process.pid, runs: ++runs } }'
const spinCode = 'const main = () => { for (;;); }'

describe('containers', () => {
  it('are reused by the same version, one activation at a time', async () => {
    const { deploy, run } = await start()
    await deploy('pid', pidCode)
    const first = await run('pid')
    const second = await run('pid')
    expect(second.response.result).toEqual({ pid: first.response.result.pid, runs: 2 })
    const has = (activation: Dict, key: string) => activation.annotations.some((one: Dict) => one.key === key)
    expect([has(first, 'initTime'), has(second, 'initTime')]).toEqual([true, false])

    const both = await Promise.all([run('pid', { ms: 300 }), run('pid', { ms: 300 })])
    expect(new Set(both.map(({ response }) => response.result.pid)).size).toBe(2)
    await deploy('pid', pidCode)
    expect((await run('pid')).response.result.runs).toBe(1)
  })

  it('are limited per action; further runs wait in order', async () => {
    const { host, deploy, run } = await start({ containersPerAction: 1 })
    await deploy('pid', pidCode)
    await run('pid')
    const runs = [1, 2, 3].map(() => run('pid', { ms: 100 }))
    await eventually(() => expect(host.running()).toBe(3))
    expect((await Promise.all(runs)).map(({ response }) => response.result.runs)).toEqual([2, 3, 4])
    expect(host.running()).toBe(0)
  })

  it('are removed with their folders after idling', async () => {
    const dataDir = temporaryFolder()
    const { deploy, run, host } = await start({ dataDir, idleTimeout: 200 })
    await deploy('pid', pidCode)
    const { pid } = (await run('pid')).response.result
    expect(readdirSync(join(dataDir, 'containers'))).toHaveLength(1)
    await expectGone([pid])
    await eventually(() => expect(readdirSync(join(dataDir, 'containers'))).toEqual([]))
    await close(host)
    rmSync(dataDir, { recursive: true })
  })

  it('that die while idle are not reused', async () => {
    const { deploy, run } = await start()
    await deploy('pid', pidCode)
    const { pid } = (await run('pid')).response.result
    process.kill(pid, 'SIGKILL')
    await expectGone([pid])
    const { response } = await run('pid')
    expect(response).toMatchObject({ success: true, result: { runs: 1 } })
    expect(response.result.pid).not.toBe(pid)
  })

  it('are killed at the action’s timeout, busy or not, during init or run', async () => {
    const { deploy, run } = await start()
    const limits = { timeout: 500 }
    await deploy('sleeping', 'const main = () => new Promise(() => {})', { limits })
    await deploy('spinning', spinCode, { limits })
    await deploy('starting', 'for (;;);', { limits })
    const activations = await Promise.all(['sleeping', 'spinning', 'starting'].map((name) => run(name)))
    const errors = activations.map(({ response }) => response.result.error)
    const error = 'The action exceeded its time limits of 500 milliseconds'
    expect(errors).toEqual([`${error}.`, `${error}.`, `${error} during initialization.`])
    for (const { annotations } of activations)
      expect(annotations).toContainEqual({ key: 'timeout', value: true })
  })

  it('are killed when they exceed the action’s memory, by buffers or by objects', async () => {
    const { deploy, run } = await start()
    const limits = { memory: 128 }
    const slowly = (grow: string) =>
      `const main = async () => { const all = []; for (;;) { ${grow}; await new Promise((done) => setTimeout(done, 5)) } }`
    await deploy('buffers', slowly('all.push(Buffer.alloc(4e6, 1))'), { limits })
    await deploy(
      'objects',
      'const main = () => { const all = []; for (;;) all.push({ all: [...all.slice(0, 9)] }) }',
      { limits },
    )
    const error = 'The action exhausted its memory and was aborted.'
    for (const name of ['buffers', 'objects']) {
      expect((await run(name)).response).toMatchObject({
        status: 'action developer error',
        result: { error },
      })
    }
    await deploy('modest', 'const main = () => ({ length: Buffer.alloc(40e6, 1).length })', { limits })
    expect((await run('modest')).response.result).toEqual({ length: 40e6 })
  })

  it('do not count a large archive as memory of the action', async () => {
    const { deploy, run } = await start()
    // Incompressible, so that its size is the same in transit and on disk.
    const noise = Buffer.from(Array.from({ length: 3e6 }, (_, i) => (i * 2654435761) >>> 24)).toString(
      'latin1',
    )
    const files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`noise-${i}`, `${i}${noise}`]))
    const index =
      'exports.main = async () => { await new Promise((done) => setTimeout(done, 400)); return { rss: process.memoryUsage.rss() } }'
    await deploy('large', zip({ 'index.js': index, ...files }), { limits: { memory: 128 } })
    const { response } = await run('large')
    expect(response.result.rss).toBeLessThan(128e6)
  })

  it('that cannot be started fail the activation', async () => {
    const dataDir = temporaryFolder()
    const { deploy, run, host } = await start({ dataDir, runtime: join(folder, 'nothing.cjs') })
    await deploy('pid', pidCode)
    const { response } = await run('pid')
    expect(response.result.error).toBe('The action did not initialize and exited unexpectedly.')
    expect(readdirSync(join(dataDir, 'containers'))).toEqual([])
    await close(host)
    rmSync(dataDir, { recursive: true })
  })

  it('crash alone', async () => {
    const { deploy, run } = await start()
    await deploy(
      'mixed',
      'const main = async ({ exit, ms }) => { await new Promise((done) => setTimeout(done, ms)); if (exit) process.exit(1); return { ok: true } }',
    )
    const [crashed, fine] = await Promise.all([
      run('mixed', { exit: true, ms: 50 }),
      run('mixed', { ms: 400 }),
    ])
    expect(crashed.response.success).toBe(false)
    expect(fine.response.result).toEqual({ ok: true })
    expect((await run('mixed', { ms: 0 })).response.result).toEqual({ ok: true })
  })

  it('kill child processes of the action', async () => {
    const { deploy, run, host } = await start()
    const code =
      'const main = () => ({ pid: require("child_process").spawn("sleep", ["600"], { stdio: "ignore" }).pid })'
    await deploy('spawning', code)
    const { pid } = (await run('spawning')).response.result
    expect(isAlive(pid)).toBe(true)
    await close(host)
    await expectGone([pid])
  })

  it('see the modules and variables of their image, not those of surrounding folders', async () => {
    const dataDir = join(folder, 'around')
    const modules = join(folder, 'image', 'node_modules')
    for (const [at, name] of [
      [join(folder, 'node_modules'), 'outer'],
      [modules, 'inner'],
      [modules, 'inner/node_modules/deep'],
    ] as const) {
      mkdirSync(join(at, name), { recursive: true })
      writeFileSync(
        join(at, name, 'index.js'),
        name === 'inner' ? 'exports.deep = require("deep")' : 'module.exports = 1',
      )
    }
    const images = (image: string | undefined): Record<string, string> =>
      image === 'my/image' ? { NODE_PATH: modules, MODEL: 'tiny' } : {}
    const { deploy, run } = await start({ dataDir, images })
    const code = `const main = () => {
      const has = (name) => { try { return require(name) } catch { return false } }
      return { outer: has('outer'), inner: has('inner'), model: process.env.MODEL }
    }`
    await deploy('stock', code)
    expect((await run('stock')).response.result).toEqual({ outer: false, inner: false })
    await deploy('custom', code, { kind: 'blackbox', exec: { image: 'my/image' } })
    expect((await run('custom')).response.result).toEqual({ outer: false, inner: { deep: 1 }, model: 'tiny' })
  })
})

describe('limits', () => {
  const statusesOf = (calls: Promise<unknown>[]): Promise<string[]> =>
    Promise.all(
      calls.map((call) =>
        call.then(
          () => 'ok',
          (thrown) => `${thrown.statusCode} ${thrown.error.error}`,
        ),
      ),
    )
  const times = <T>(count: number, call: () => T): T[] => Array.from({ length: count }, call)

  it('are 60 invocations and 60 fires per minute on a real server', async () => {
    const { ow, deploy } = await start({ limits: { ...openwhiskLimits, concurrentInvocations: 200 } })
    await deploy('a', 'const main = () => ({})')
    await ow.triggers.update({ name: 't' })
    // The requests may span two minutes of the clock.
    const invocations = await statusesOf(times(125, () => ow.actions.invoke({ name: 'a' })))
    const fires = await statusesOf(times(125, () => ow.triggers.invoke({ name: 't' })))
    for (const statuses of [invocations, fires]) {
      expect(statuses.filter((status) => status === 'ok').length).toBeGreaterThanOrEqual(60)
      expect(statuses).toContain('429 Too many requests in the last minute (count: 61, allowed: 60).')
    }
  })

  it('report a throttled rule in the trigger’s activation only', async () => {
    const { ow, deploy } = await start({ limits: { ...generousLimits, invocationsPerMinute: 0 } })
    await deploy('a', 'const main = () => ({})')
    await ow.triggers.update({ name: 't' })
    await ow.rules.update({ name: 'r', trigger: 't', action: 'a' })
    const { activationId } = await ow.triggers.invoke({ name: 't' })
    const { logs } = await ow.activations.get({ name: activationId })
    expect(JSON.parse(logs?.[0] ?? '')).toEqual({
      statusCode: 1,
      success: false,
      error: 'Too many requests in the last minute (count: 1, allowed: 0).',
      rule: 'guest/r',
      action: 'guest/a',
    })
  })

  it('also apply to concurrent invocations', async () => {
    const { ow, deploy, host } = await start({ limits: { ...generousLimits, concurrentInvocations: 2 } })
    await deploy('slow', pidCode)
    const invoke = () => ow.actions.invoke({ name: 'slow', params: { ms: 1000 } })
    await Promise.all([invoke(), invoke()])
    expect(host.running()).toBe(2)
    const [status] = await statusesOf([invoke()])
    expect(status).toBe('429 Too many concurrent requests in flight (count: 2, allowed: 2).')
    await eventually(() => expect(host.running()).toBe(0))
  })
})

describe('a restart', () => {
  it('keeps entities, code and activations, and cleans up after a kill', async () => {
    const dataDir = temporaryFolder()
    const before = await start({ dataDir })
    await before.ow.packages.update({ name: 'p' })
    await before.deploy('p/kept', 'const main = () => ({ kept: true })')
    await before.deploy('p/removed', 'const main = () => ({ removed: true })')
    await before.ow.actions.delete('p/removed')
    await before.ow.triggers.update({ name: 't' })
    await before.ow.rules.update({ name: 'r', trigger: 't', action: 'p/kept' })
    const { activationId } = await before.run('p/kept')
    await close(before.host)
    expect(readdirSync(join(dataDir, 'code'))).toHaveLength(1)
    appendFileSync(join(dataDir, 'activations.jsonl'), '\n{"activationId":"torn')
    mkdirSync(join(dataDir, 'containers', 'left'), { recursive: true })

    const after = await start({ dataDir })
    expect(existsSync(join(dataDir, 'containers', 'left'))).toBe(false)
    const { response } = (await after.ow.activations.get({ name: activationId })) as Dict
    expect(response.result).toEqual({ kept: true })
    expect(await after.ow.rules.get('r')).toMatchObject({ status: 'active' })
    expect((await after.run('p/kept')).response.result).toEqual({ kept: true })
    await close(after.host)
    const again = await start({ dataDir })
    expect(await again.ow.activations.list()).toHaveLength(2)
    await close(again.host)
    rmSync(dataDir, { recursive: true })
  })
})

describe('activations', () => {
  it('are kept up to ten thousand, in memory and in two files', () => {
    const dataDir = temporaryFolder()
    const activations = new Activations(dataDir)
    const add = (start: number) =>
      activations.add({
        ...{
          activationId: newActivationId(),
          namespace: 'guest',
          subject: 'guest',
          name: 'a',
          version: '0.0.1',
        },
        ...{ publish: false, start, annotations: [], logs: [] },
        response: { result: {}, status: 'success', success: true },
      })
    for (let i = 1; i <= 12_000; i++) add(i)
    expect(activations.list()).toHaveLength(10_000)
    expect(activations.list()[0]).toMatchObject({ start: 12_000 })
    expect(readdirSync(dataDir)).toHaveLength(2)
    const again = new Activations(dataDir).list()
    expect([again.length, again[0]?.start]).toEqual([7000, 12_000])
    rmSync(dataDir, { recursive: true })
  })
})

describe('stopping a host', () => {
  /** Runs a host in its own process, bundled with its runtime like the command line. */
  async function startElsewhere(dataDir: string): Promise<{ pid: number; host: ApiHost; kill(): void }> {
    const main = join(folder, 'host.cjs')
    const stdin = {
      contents: `import { generousLimits, startApiHost } from './src/local/host/server'
        startApiHost({ dataDir: ${JSON.stringify(dataDir)}, port: 0, auth: ${JSON.stringify(auth)}, namespace: 'guest', limits: generousLimits })
          .then(({ url }) => console.log(url))`,
      resolveDir: join(__dirname, '../..'),
    }
    buildSync({ stdin, bundle: true, platform: 'node', target: 'node20', format: 'cjs', outfile: main })
    const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] })
    const url = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data).trim())),
    )
    const host: ApiHost = { url, close: async () => {}, running: () => 0 }
    return { pid: Number(child.pid), host, kill: () => child.kill('SIGKILL') }
  }

  it('stops its containers, and answers waiting calls', async () => {
    const { host, ow, deploy, run } = await start()
    await deploy('pid', pidCode)
    await deploy('spin', spinCode)
    const { pid } = (await run('pid')).response.result
    const waiting = run('spin')
    await eventually(() => expect(host.running()).toBe(1))
    await close(host)
    expect((await waiting).response.result.error).toMatch(/exited unexpectedly/)
    await expectGone([pid])
    await expect(ow.actions.list()).rejects.toThrow()
  })

  it('by SIGKILL stops them too, idle, busy or spinning', async () => {
    const dataDir = temporaryFolder()
    const { host, kill } = await startElsewhere(dataDir)
    const ow = clientOf(host)
    const update = (name: string, action: string) => ow.actions.update({ name, action })
    await update('pid', pidCode)
    const writePid = 'require("fs").writeFileSync(process.env.HOME + "/pid", String(process.pid))'
    await update(
      'busy',
      `const main = () => { ${writePid}; return new Promise(() => setInterval(() => {}, 1000)) }`,
    )
    await update('spin', `const main = () => { ${writePid}; for (;;); }`)
    const idle = (await ow.actions.invoke({ name: 'pid', blocking: true, result: true })) as Dict
    await Promise.all([ow.actions.invoke({ name: 'busy' }), ow.actions.invoke({ name: 'spin' })])
    const containers = join(dataDir, 'containers')
    const others = await eventually(() => {
      const files = readdirSync(containers)
        .map((name) => join(containers, name, 'pid'))
        .filter((file) => existsSync(file))
      expect(files).toHaveLength(2)
      return files.map((file) => Number(readFileSync(file, 'utf8')))
    })
    const pids = [idle.pid, ...others]
    expect(pids.filter(isAlive)).toEqual(pids)
    kill()
    await expectGone(pids)
    rmSync(dataDir, { recursive: true })
  })
})
