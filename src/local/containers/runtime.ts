/**
 * Program of an action container, in place of `action-nodejs`: takes code once at /init and runs it at every /run. A bundle of
 * its own, since it shares nothing with the host process.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { channelDescriptor } from './channel'
import { loadArchive, loadSource } from './code'
import { endOfActivation } from './logs'
import { signalGroup } from './process-group'

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

let state: 'fresh' | 'ready' | 'running' | 'stopped' = 'fresh'
let handler: Handler

const failure = (status: number, error: string): Reply => ({ status, body: JSON.stringify({ error }) })
/** The platform runtime's reply to unknown requests. */
const badRequest = failure(500, 'Bad request.')

/** Default action of an image, for actions without code: `predict` in Whisklens images. */
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

/** Converts a rejection to plain data; keeps own fields of an error. */
const asPlain = (rejected: unknown): unknown =>
  rejected instanceof Error
    ? { ...rejected, name: rejected.name, message: rejected.message, stack: rejected.stack }
    : (rejected ?? {})

const variable = (name: string): string => `__OW_${name.toUpperCase()}`

async function run({ value = {}, ...context }: Record<string, unknown>): Promise<Reply> {
  if (state !== 'ready') return failure(403, `System not ready, status is ${state}.`)
  const names = Object.keys(context).filter((name) => typeof context[name] === 'string')
  for (const name of names) process.env[variable(name)] = context[name] as string
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
    // Code still running, or the next activation, must not see this one's key.
    for (const name of names) delete process.env[variable(name)]
    state = 'ready'
  }
}

/** Reads into one buffer: chunks of a 48 MB archive would linger in the process's memory. */
async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const body = Buffer.allocUnsafeSlow(Number(request.headers['content-length']))
  let length = 0
  for await (const piece of request) length += piece.copy(body, length)
  const read = JSON.parse(body.toString())
  if (typeof read !== 'object' || read === null) throw new Error('The body is not an object.')
  return read
}

const endpoints: Record<string, (body: Record<string, unknown>) => Promise<Reply>> = {
  'POST /init': (body) => init((body.value ?? {}) as InitValue),
  'POST /run': run,
}

async function answer(request: IncomingMessage): Promise<Reply> {
  const endpoint = endpoints[`${request.method} ${request.url}`]
  if (!endpoint) return badRequest
  const reply = await endpoint(await readBody(request))
  if (request.url !== '/init' || reply.status !== 200) {
    for (const stream of [process.stdout, process.stderr]) stream.write(`${endOfActivation}\n`)
  }
  return reply
}

/** Frees garbage of reading and unpacking, which must not count as the action's memory. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

// Exit with the host: the IPC channel closes however the host ends. An action that never yields would not notice, so a worker
// thread checks as well (not on Windows, where the parent id stays). Both kill the action's child processes.
process.on('disconnect', () => signalGroup(process.pid, 'SIGKILL'))
new Worker(
  `setInterval(() => process.ppid === ${process.ppid} || process.kill(-process.pid, 'SIGKILL'), 1000)`,
  { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 } },
).unref()

const server = createServer((request, response) => {
  answer(request)
    .catch(() => badRequest)
    .then(({ status, body }) => {
      if (request.url === '/init') collectGarbage()
      // Without content-length, the answer could only end by closing the stream.
      const length = Buffer.byteLength(body)
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': length }).end(body)
    })
})
// All requests use this one connection.
server.keepAliveTimeout = 0
server.emit('connection', new Socket({ fd: channelDescriptor }))
process.send?.('ready')
