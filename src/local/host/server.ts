import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { log } from '../../log'
import { type Family, openMetricsType, toOpenMetrics } from '../../openmetrics'
import { isSameSecret } from '../../same-secret'
import { Pool } from '../containers/pool'
import { HttpError } from '../http-error'
import { actionRoutes } from './actions'
import { activationRoutes } from './activation-routes'
import { Activations } from './activations'
import { Alarms, alarmRoutes } from './alarms'
import { type Api, type ApiContext, corsHeaders, type Host } from './api'
import { clock, Entities } from './entities'
import { newTransaction } from './ids'
import { Invoker, within } from './invoke'
import type { Limits } from './limits'
import { Meter } from './meter'
import { namespaceRoutes } from './namespaces'
import { packageRoutes } from './packages'
import { forbidden, unauthorized } from './refusals'
import { ruleRoutes } from './rules'
import { isPublic, isSystem, systemEntities } from './system'
import { throttleOf } from './throttle'
import { createFire, triggerRoutes } from './triggers'
import { webActionRoutes } from './web-actions'

export { generousLimits, type Limits, openwhiskLimits } from './limits'

export interface ApiHostOptions {
  /** Stores entities, code and recent activations; used by one host at a time. */
  dataDir: string
  /** Port on 127.0.0.1; 0 for a free one. */
  port: number
  /** `uuid:key` of the namespace. */
  auth: string
  namespace: string
  limits: Limits
  /** `__OW_API_HOST` of the actions, if a proxy is in front of the host. */
  publicUrl?: string
  /** Default: number of CPU cores. */
  containersPerAction?: number
  /** How long an idle container is kept, milliseconds. */
  idleTimeout?: number
  /** Additional environment per image: stands in for a custom image. */
  images?: (image: string | undefined, memory: number) => Record<string, string>
  /** Path of the runtime's bundle, if it is not beside this one. */
  runtime?: string
  /** Additional metrics. */
  metrics?: () => Promise<Family[]>
  /** Adds routes beyond those of OpenWhisk. */
  routes?: (api: Api, host: Host) => void
  /** Clock of alarms and rates, milliseconds since the epoch. */
  now?: () => number
}

export interface ApiHost {
  url: string
  close(): Promise<void>
  /** Number of waiting and running invocations. */
  running(): number
}

/** How long close() waits for clients to read their last responses, milliseconds. */
const closingTime = 1000

/** Starts an OpenWhisk API host with action containers on this machine. */
export async function startApiHost(options: ApiHostOptions): Promise<ApiHost> {
  const { dataDir, auth, namespace, limits, images = () => ({}), idleTimeout = 60_000 } = options
  const { now = Date.now } = options
  const { containersPerAction = availableParallelism() } = options
  const { runtime = process.env.WHISKLENS_RUNTIME ?? join(__dirname, 'runtime.cjs') } = options
  mkdirSync(dataDir, { recursive: true })
  const entities = new Entities(dataDir, systemEntities())
  const activations = new Activations(dataDir)
  const folder = join(dataDir, 'containers')
  const pool = new Pool({ folder, runtime, containersPerAction, idleTimeout, clock })
  let address = ''
  const url = () => address
  // System actions call the host directly: they lack the certificate authorities of the deployment.
  const apiHost = (owner: string) => (isSystem(owner) ? address : (options.publicUrl ?? address))
  const meter = new Meter()
  const invoker = new Invoker({ meter, namespace, auth, entities, activations, pool, images, apiHost })
  const throttle = throttleOf(
    limits,
    () => invoker.inFlight(),
    now,
    (limit) => meter.throttled(limit),
  )
  const parts = { namespace, auth, url, limits, entities, activations, invoker, throttle }
  const host = { ...parts, fire: createFire(parts) }
  const alarms = new Alarms(host, now)
  const api = createApi(host, alarms)
  api.get('/metrics', async (c) => {
    const more = (await options.metrics?.()) ?? []
    const own = meter.families({ containers: pool.size(), inFlight: invoker.running() })
    return c.body(toOpenMetrics([...own, ...more]), 200, { 'content-type': openMetricsType })
  })

  options.routes?.(api, host)

  const server = createAdaptorServer({ fetch: api.fetch, overrideGlobalObjects: false }) as Server
  server.listen(options.port, '127.0.0.1')
  await once(server, 'listening')
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  alarms.start()

  return {
    url: address,
    running: () => invoker.running(),
    async close() {
      alarms.stop()
      const closed = new Promise((resolve) => server.close(resolve))
      await pool.close()
      await invoker.settled()
      server.closeIdleConnections()
      await within(closingTime, closed)
      server.closeAllConnections()
      await closed
    },
  }
}

function createApi(host: Host, alarms: Alarms): Api {
  const api: Api = new Hono({ getPath: (request) => new URL(request.url).pathname.replace(/\/{2,}/g, '/') })
  api.onError((thrown, c) => answerError(c, thrown))
  api.notFound((c) => answerError(c, unknownResource(c, methodsAt(api, c.req.path))))
  api.use(async (c, next) => {
    c.set('transaction', newTransaction())
    c.set('isUser', isSameSecret(keyOf(c) ?? '', host.auth))
    c.header('X-Request-ID', c.var.transaction)
    await next()
  })
  api.use('/api/v1/namespaces/*', async (c, next) => {
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Access-Control-Allow-Headers', corsHeaders)
    c.header('Access-Control-Allow-Methods', 'GET, DELETE, POST, PUT, HEAD')
    if (c.req.method === 'OPTIONS') return c.body(null, 200)
    if (keyOf(c) === undefined) throw unauthorized()
    if (!c.var.isUser) throw new HttpError(401, 'unauthorized', 'The supplied authentication is invalid')
    const [asked, , name] = c.req.path.split('/').slice(4)
    const isOwn = !asked || asked === '_' || asked === host.namespace
    if (!isOwn && !isPublic(c.req.method, c.req.path)) throw forbidden(name ? `${asked}/${name}` : asked)
    await next()
  })
  namespaceRoutes(api, host)
  packageRoutes(api, host)
  actionRoutes(api, host)
  triggerRoutes(api, host)
  ruleRoutes(api, host)
  activationRoutes(api, host)
  alarmRoutes(api, alarms)
  webActionRoutes(api, host)
  return api
}

const methods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']

/** Methods of a path; middleware for all methods does not count. */
const methodsAt = (api: Api, path: string): string[] =>
  methods.filter((method) => api.router.match(method, path)[0].some(([[, { method: own }]]) => own !== 'ALL'))

function unknownResource(c: ApiContext, allowed: string[]): HttpError {
  if (allowed.length === 0)
    return new HttpError(404, 'not_found', 'The requested resource could not be found.')
  c.header('Allow', allowed.join(', '))
  const supported = `HTTP method not allowed, supported methods: ${allowed.join(', ')}`
  return new HttpError(405, 'method_not_allowed', supported)
}

function answerError(c: ApiContext, thrown: Error): Response {
  const code = c.var.transaction
  const isRefusal = thrown instanceof HttpError
  if (!isRefusal) log.error({ err: thrown, code }, 'API host failed')
  const error = isRefusal ? thrown.message : 'There was an internal server error.'
  return c.json({ error, code }, (isRefusal ? thrown.status : 500) as ContentfulStatusCode)
}

/** API key of the request, if any. */
function keyOf(c: ApiContext): string | undefined {
  const given = /^Basic (.*)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
  const key = Buffer.from(given, 'base64').toString()
  return key.includes(':') ? key : undefined
}
