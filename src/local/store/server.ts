import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Settings } from '../../config'
import { messageOf } from '../../errors'
import { log } from '../../log'
import { HttpError } from '../http-error'
import type { Access } from './access'
import { type CorsRule, corsHeaders } from './cors'
import { preflight, setCors } from './cors-operations'
import type { Notification } from './delivery'
import { lockFolder } from './lock'
import { startNotifications } from './notifications'
import { payloadOf } from './payload'
import type { Policy } from './policy'
import { parseRequest, type S3Request, type S3Response } from './request'
import { answer } from './routes'
import { s3Error } from './s3-error'
import { authenticate, type Credentials } from './signature'
import { closeStore, openStore, type Store } from './store'
import { toXml } from './xml'

export type { Notification } from './delivery'

export interface ObjectStoreOptions {
  /** Folder for all state. */
  dataDir: string
  /** Port on 127.0.0.1; 0 for a free one. */
  port: number
  region: string
  /** Key of the owner, with full access. */
  credentials: Credentials
  /** Further keys, limited by their policies. */
  users?: (Credentials & { policy: Policy })[]
  /** Encryption that every write must request. Default: none. */
  encryption?: Settings['s3Encryption']
  notifications?: Notification[]
}

export interface ObjectStore {
  endpoint: string
  setNotifications(notifications: Notification[]): void
  /** Replaces the CORS rules of a bucket. */
  setCors(bucket: string, rules: CorsRule[]): void
  close(): Promise<void>
}

/** How long close() waits for requests, milliseconds. */
const closingTime = 5000

type User = Credentials & Access

async function handleRequest(request: S3Request, store: Store, users: User[]): Promise<S3Response> {
  if (request.method === 'OPTIONS') return preflight(store, request)
  const { user, signing } = authenticate(request, store.region, users)
  return await answer({ store, request, user, payload: payloadOf(request, signing) })
}

/** S3 error response. Unexpected errors are logged and reported as InternalError. */
function errorResponse(thrown: unknown, resource: string, id: string): S3Response {
  const isHttpError = thrown instanceof HttpError
  if (!isHttpError) log.error({ resource, id, reason: messageOf(thrown) }, 'object store request failed')
  const { status, code, message } = isHttpError ? thrown : s3Error('InternalError')
  return { status, xml: toXml('Error', { Code: code, Message: message, Resource: resource, RequestId: id }) }
}

function setHeaders(outgoing: ServerResponse, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
}

async function send(outgoing: ServerResponse, { status = 200, headers = {}, xml, stream }: S3Response) {
  outgoing.statusCode = status
  if (xml !== undefined) {
    outgoing.setHeader('content-type', 'application/xml')
    // Node omits it from responses to HEAD, and many clients then close the connection.
    outgoing.setHeader('content-length', Buffer.byteLength(xml))
  }
  setHeaders(outgoing, headers)
  // Node drops the body where there is none, as in responses to HEAD.
  if (stream) await pipeline(stream, outgoing)
  else outgoing.end(xml)
}

/**
 * Uses node:http rather than Hono: keys need the raw request line (Hono's Request normalises the path), and bodies of any size
 * need node's streams on both sides.
 */
async function handle(incoming: IncomingMessage, outgoing: ServerResponse, store: Store, users: User[]) {
  const id = randomBytes(8).toString('hex').toUpperCase()
  outgoing.setHeader('x-amz-request-id', id)
  try {
    const request = parseRequest(incoming)
    // Also on errors, or the page could not read them.
    const rules = store.buckets.get(request.bucket)?.cors
    setHeaders(outgoing, corsHeaders(rules, request.method, request.headers))
    await send(outgoing, await handleRequest(request, store, users))
  } catch (thrown) {
    const isGone = incoming.destroyed && !incoming.complete
    // The client is gone, or half of the response has been sent: only cutting it off is left.
    if (isGone || outgoing.headersSent || outgoing.destroyed) outgoing.destroy()
    else await send(outgoing, errorResponse(thrown, (incoming.url ?? '/').replace(/\?.*$/s, ''), id))
  } finally {
    // Drains a refused body, so that the client reads the response.
    incoming.resume()
  }
}

/**
 * Starts the S3-compatible object store of the local mode.
 *
 * @example
 * ```ts
 * const store = await startObjectStore({ dataDir: '.whisklens/s3', port: 0, region: 'us-east-1', credentials })
 * console.log(store.endpoint)
 * await store.close()
 * ```
 */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStore> {
  const { dataDir, port, region, credentials, users = [], encryption } = options
  mkdirSync(dataDir, { recursive: true })
  const unlock = lockFolder(dataDir)
  try {
    const store = openStore(dataDir, region, encryption)
    const server = createServer(
      (incoming, outgoing) => void handle(incoming, outgoing, store, [credentials, ...users]),
    )
    // Uploads may take any time; closing an idle connection early would race with the client's next request.
    server.requestTimeout = 0
    server.keepAliveTimeout = 75_000
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const notifications = startNotifications(store)
    if (options.notifications) notifications.set(options.notifications)
    return {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      setNotifications: notifications.set,
      setCors: (bucket, rules) => setCors(store, bucket, rules),
      async close() {
        if (!server.listening) return
        notifications.stop()
        const closed = once(server, 'close')
        server.close()
        const timer = setTimeout(() => server.closeAllConnections(), closingTime)
        await closed
        clearTimeout(timer)
        closeStore(store)
        unlock()
      },
    }
  } catch (thrown) {
    unlock()
    throw thrown
  }
}
