import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { zipSync } from 'fflate'
import { ChannelAgent, channelDescriptor } from '../../src/local/containers/channel'
import { Container, type Reply } from '../../src/local/containers/container'
import { type Job, Pool } from '../../src/local/containers/pool'
import { buildRuntime, temporaryFolder } from '../contract/api-host'

const folder = temporaryFolder()
let runtime: string
beforeAll(() => {
  runtime = buildRuntime(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

const newFolder = (): string => mkdtempSync(`${folder}/container-`)
const nested = (levels: number): object => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
const read = (reply: unknown) => JSON.parse((reply as Reply).body)

describe('the runtime', () => {
  let child: ChildProcess
  let agent: ChannelAgent
  beforeEach(async () => {
    child = fork(runtime, [], {
      cwd: newFolder(),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'overlapped'],
      detached: true,
    })
    await once(child, 'message')
    agent = new ChannelAgent(child.stdio[channelDescriptor] as unknown as Duplex)
  })
  afterEach(async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })

  const send = async (method: string, path: string, body = '') => {
    const sent = request({ method, path, agent }).end(body)
    const [response] = await once(sent, 'response')
    return { status: response.statusCode, ...JSON.parse((await text(response)) || '{}') }
  }

  it.each([
    ['GET', '/'],
    ['GET', '/run'],
    ['HEAD', '/init'],
    ['POST', '/other', '{}'],
    ['POST', '/run'],
    ['POST', '/init', '{"value":'],
    ['POST', '/run', 'null'],
    ['POST', '/init', '{"value":{"code":"const main = () => ({})","env":null}}'],
  ])('survives %s %s', async (method, path, body = '') => {
    const error = method === 'HEAD' ? {} : { error: 'Bad request.' }
    expect(await send(method, path, body)).toEqual({ status: 500, ...error })
    const code = 'const main = ({ n }) => ({ n: n + 1 })'
    expect(await send('POST', '/init', JSON.stringify({ value: { code } }))).toEqual({
      status: 200,
      OK: true,
    })
    expect(await send('POST', '/run', '{"value":{"n":1}}')).toEqual({ status: 200, n: 2 })
  })
})

describe('a container', () => {
  const withContainer = async <T>(code: string, use: (container: Container) => Promise<T>): Promise<T> => {
    const environment = { __OW_API_HOST: 'http://127.0.0.1:1' }
    const container = await Container.start({ runtime, folder: newFolder(), memory: 128, environment })
    try {
      await container.post('/init', { value: { code } }, 60_000)
      return await use(container)
    } finally {
      await container.stop()
    }
  }

  it('does not listen, so that only the host can reach it', async () => {
    const code = 'const main = () => ({ all: process.getActiveResourcesInfo() })'
    const { all } = await withContainer(code, async (one) => read(await one.post('/run', {}, 60_000)))
    expect(all).toContain('PipeWrap')
    expect(all.filter((name: string) => /Server|TCP|UDP/.test(name))).toEqual([])
  })

  it('treats code as CommonJS, whatever package.json is above the data folder', async () => {
    const above = newFolder()
    writeFileSync(join(above, 'package.json'), '{"type":"module"}')
    const started = { runtime, folder: join(above, 'container'), memory: 128, environment: {} }
    const archive = zipSync({ 'index.js': Buffer.from('exports.main = () => ({ kind: typeof require })') })
    for (const value of [
      { code: 'const main = () => ({ kind: typeof require })' },
      { code: Buffer.from(archive).toString('base64'), binary: true },
    ]) {
      const container = await Container.start(started)
      try {
        await container.post('/init', { value }, 60_000)
        expect(read(await container.post('/run', {}, 60_000))).toEqual({ kind: 'function' })
      } finally {
        await container.stop()
      }
    }
  })

  it('drops an activation’s variables after its run, and keeps its own', async () => {
    const code = `const names = () => Object.keys(process.env).filter((name) => name.startsWith('__OW_')).sort()
      const between = new Set()
      const main = () => {
        setInterval(() => between.add(names().join()), 2)
        return { during: names(), between: [...between] }
      }`
    const [first, second] = await withContainer(code, async (one) => {
      const first = await one.post('/run', { value: {}, api_key: 'k', activation_id: 'a' }, 60_000)
      await sleep(200)
      return [read(first), read(await one.post('/run', { value: {}, activation_id: 'b' }, 60_000))]
    })
    expect(first.during).toEqual(['__OW_ACTIVATION_ID', '__OW_API_HOST', '__OW_API_KEY'])
    expect(second).toEqual({ during: ['__OW_ACTIVATION_ID', '__OW_API_HOST'], between: ['__OW_API_HOST'] })
  })
})

describe('a pool', () => {
  const code = 'let runs = 0; const main = () => ({ runs: ++runs })'
  const job = (value: object): Job => ({
    key: 'a',
    memory: 128,
    timeout: 60_000,
    logs: 1000,
    environment: {},
    init: () => ({ value: { code } }),
    run: () => ({ value }),
  })

  it('refuses parameters nested too deep, in a warm or a cold container, and loses neither', async () => {
    const options = { containersPerAction: 1, idleTimeout: 60_000, clock: Date.now }
    const pool = new Pool({ folder: newFolder(), runtime, ...options })
    try {
      for (const runs of [1, 2, 3]) {
        const refused = await pool.run(job(nested(100_000)))
        expect([refused.phase, refused.answer]).toEqual([
          'run',
          { status: 400, body: '{"error":"The parameters are nested too deep."}' },
        ])
        expect(refused.initTime === undefined).toBe(runs > 1)
        const { answer, initTime } = await pool.run(job({}))
        expect([read(answer), initTime]).toEqual([{ runs }, undefined])
      }
    } finally {
      await pool.close()
    }
  })

  it('passes on parameters nested as deep as can be serialised', async () => {
    const options = { containersPerAction: 1, idleTimeout: 60_000, clock: Date.now }
    const pool = new Pool({ folder: newFolder(), runtime, ...options })
    try {
      const deepest = await pool.run(job(nested(2000)))
      expect(read(deepest.answer)).toEqual({ runs: 1 })
    } finally {
      await pool.close()
    }
  })
})
