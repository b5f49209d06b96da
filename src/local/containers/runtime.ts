/**
 * The program of an action container: what `action-nodejs` is in a real one. It takes code once at /init and runs it
 * at every /run. Bundled into a file of its own, for it shares nothing with the process that starts it.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import Module, { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { type UnzipFileInfo, unzipSync } from 'fflate'
import { endOfActivation } from './logs'

interface Reply {
  status: number
  /** JSON. */
  body: string
}

type Handler = (args: unknown) => unknown

interface InitValue {
  code?: string
  main?: string
  binary?: boolean
  env?: Record<string, unknown>
}

const root = process.cwd()
let state: 'fresh' | 'ready' | 'running' | 'stopped' = 'fresh'
let handler: Handler

const failure = (status: number, error: string): Reply => ({ status, body: JSON.stringify({ error }) })

/** Unpacks a few files at a time: all of a large archive at once could count as the action's own memory. */
function unpack(zip: Uint8Array, folder: string): void {
  const entries: UnzipFileInfo[] = []
  unzipSync(zip, { filter: (entry) => entries.push(entry) === 0 })
  while (entries.length > 0) {
    const names = new Set<string>()
    for (let size = 0; size < 8e6 && entries.length > 0; ) {
      const entry = entries.shift() as UnzipFileInfo
      names.add(entry.name)
      size += entry.originalSize
    }
    for (const [name, data] of Object.entries(unzipSync(zip, { filter: (entry) => names.has(entry.name) }))) {
      const path = resolve(folder, name)
      if (!`${path}${sep}`.startsWith(folder + sep)) throw new Error(`'${name}' is outside of the archive.`)
      mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
      if (!name.endsWith('/')) writeFileSync(path, data)
    }
  }
}

/** `main` of an archive's package, or `file.main` of another of its modules. */
async function loadArchive(code: string, main: string): Promise<unknown> {
  const folder = mkdtempSync(join(root, 'action-'))
  unpack(Buffer.from(code, 'base64'), folder)
  process.chdir(folder)
  const require = createRequire(join(folder, 'index.js'))
  const [name = main, file] = main.split('.').reverse()
  const path = require.resolve(file === undefined ? folder : join(folder, file))
  let loaded: Record<string, unknown> & { default?: Record<string, unknown> }
  try {
    loaded = require(path)
  } catch (thrown) {
    if (!String((thrown as NodeJS.ErrnoException).code).startsWith('ERR_REQUIRE_')) throw thrown
    loaded = await import(pathToFileURL(path).href)
  }
  return loaded[name] ?? loaded.default?.[name]
}

/** `main` of a single file, which may be declared without being exported. */
function loadSource(code: string, main: string): unknown {
  const file = join(mkdtempSync(join(root, 'action-')), 'index.js')
  writeFileSync(file, `${code}\n;try { module.main = ${main} } catch {}`)
  const require = createRequire(file)
  const exported = require(file)
  return (require.cache[file] as { main?: unknown } | undefined)?.main ?? exported[main]
}

/** What an image runs for an action that brings no code: `predict` in ours, nothing in others. */
function ownAction(): Pick<InitValue, 'code' | 'main' | 'binary'> {
  const archive = process.env.WHISKLENS_DEFAULT_ACTION
  return archive ? { code: readFileSync(archive, 'base64'), binary: true } : {}
}

async function init({ env = {}, ...given }: InitValue): Promise<Reply> {
  if (state !== 'fresh') return failure(403, 'Cannot initialize the action more than once.')
  const { code, main = 'main', binary } = given.code ? given : ownAction()
  if (!code) return failure(403, 'Missing main/no code to execute.')
  for (const [name, value] of Object.entries(env)) {
    process.env[name] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  try {
    state = 'stopped'
    const loaded = await (binary ? loadArchive(code, main) : loadSource(code, main))
    if (typeof loaded !== 'function') throw new Error(`Action entrypoint '${main}' is not a function.`)
    handler = loaded as Handler
    state = 'ready'
    return { status: 200, body: '{"OK":true}' }
  } catch (thrown) {
    console.error('Error during initialization:', thrown)
    const reason = thrown instanceof Error ? thrown.stack : thrown
    return failure(502, `Initialization has failed due to: ${reason}`)
  }
}

/** What a rejection is to the caller; an error's own fields are kept. */
const asPlain = (rejected: unknown): unknown =>
  rejected instanceof Error
    ? { ...rejected, name: rejected.name, message: rejected.message, stack: rejected.stack }
    : (rejected ?? {})

async function run({ value = {}, ...context }: Record<string, unknown>): Promise<Reply> {
  if (state !== 'ready') return failure(403, `System not ready, status is ${state}.`)
  for (const [name, text] of Object.entries(context)) {
    if (typeof text === 'string') process.env[`__OW_${name.toUpperCase()}`] = text
  }
  state = 'running'
  try {
    const returned = handler(value)
    const result = await Promise.resolve(returned).catch((rejected) => ({ error: asPlain(rejected) }))
    if (result !== undefined && typeof result !== 'object') {
      return failure(502, 'The action did not return a dictionary or array.')
    }
    return { status: 200, body: JSON.stringify(result ?? {}) }
  } catch (thrown) {
    console.error(thrown)
    return failure(502, `An error has occurred: ${thrown}`)
  } finally {
    state = 'ready'
  }
}

/** Into one buffer of the known length: the pieces of an archive's 48 MB would linger in the process's memory. */
async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const body = Buffer.allocUnsafeSlow(Number(request.headers['content-length']))
  let length = 0
  for await (const piece of request) length += piece.copy(body, length)
  return JSON.parse(body.toString())
}

async function answer(request: IncomingMessage): Promise<Reply> {
  const isInit = request.url === '/init'
  const body = await readBody(request)
  const reply = await (isInit ? init(body.value as InitValue) : run(body))
  if (!isInit || reply.status !== 200) {
    for (const stream of [process.stdout, process.stderr]) stream.write(`${endOfActivation}\n`)
  }
  return reply
}

/** Frees what reading and unpacking left behind, which must not count as the action's memory. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** A container has the modules of its image and its own, never those of the folders its host happens to lie in. */
const loader = Module as unknown as { _nodeModulePaths(from: string): string[] }
const modulePaths = loader._nodeModulePaths
loader._nodeModulePaths = (from) =>
  modulePaths(from).filter((path) => !from.startsWith(root) || path.startsWith(root))

// No host, no container: the channel closes when the host ends in whatever way. An action that never yields would not
// notice, so a thread of its own looks as well. Both take along what the action started.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
new Worker(
  `setInterval(() => process.ppid === ${process.ppid} || process.kill(-process.pid, 'SIGKILL'), 1000)`,
  { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 } },
).unref()

const server = createServer((request, response) => {
  answer(request).then(({ status, body }) => {
    if (request.url === '/init') collectGarbage()
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
})
server.requestTimeout = 0
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
