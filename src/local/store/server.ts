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
import { type Answer, parseRequest, type S3Request } from './request'
import { answer } from './routes'
import { s3Error } from './s3-error'
import { authenticate, type Credentials } from './signature'
import { closeStore, openStore, type Store } from './store'
import { toXml } from './xml'

export type { Notification } from './delivery'

export interface ObjectStoreOptions {
  /** All state lives here. */
  dataDir: string
  /** 0 picks a free one; only 127.0.0.1 is listened on. */
  port: number
  region: string
  /** The owner's, with full access. */
  credentials: Credentials
  /** Further keys, limited by their policies. */
  users?: (Credentials & { policy: Policy })[]
  /** Encryption that every write must request; none by default. */
  encryption?: Settings['s3Encryption']
  notifications?: Notification[]
}

export interface ObjectStore {
  endpoint: string
  setNotifications(notifications: Notification[]): void
  /** Replaces a bucket's rules for pages of other origins. */
  setCors(bucket: string, rules: CorsRule[]): void
  close(): Promise<void>
}

/** How long requests under way may take to end when the store is closed, in milliseconds. */
const closingTime = 5000

type User = Credentials & Access

async function answerTo(request: S3Request, store: Store, users: User[]): Promise<Answer> {
  if (request.method === 'OPTIONS') return preflight(store, request)
  const { user, signing } = authenticate(request, store.region, users)
  return await answer({ store, request, user, payload: payloadOf(request, signing) })
}

/** What S3 answers to a failure; one that is no S3 error is ours, and only the log says more. */
function answerOf(thrown: unknown, resource: string, id: string): Answer {
  const isMeant = thrown instanceof HttpError
  if (!isMeant) log.error({ resource, id, reason: messageOf(thrown) }, 'The object store failed to answer')
  const { status, code, message } = isMeant ? thrown : s3Error('InternalError')
  return { status, xml: toXml('Error', { Code: code, Message: message, Resource: resource, RequestId: id }) }
}

function setHeaders(outgoing: ServerResponse, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
}

async function send(outgoing: ServerResponse, { status = 200, headers = {}, xml, stream }: Answer) {
  outgoing.statusCode = status
  if (xml !== undefined) {
    outgoing.setHeader('content-type', 'application/xml')
    // Node leaves it out of an answer to HEAD, and without it many clients close the connection.
    outgoing.setHeader('content-length', Buffer.byteLength(xml))
  }
  setHeaders(outgoing, headers)
  // Node leaves the body out where there is none, as in answers to HEAD.
  if (stream) await pipeline(stream, outgoing)
  else outgoing.end(xml)
}

/**
 * On node:http rather than Hono: keys need the request line as it was sent (the Request that Hono builds has its path
 * normalised), and bodies of any size need node's own streams on both sides.
 */
async function handle(incoming: IncomingMessage, outgoing: ServerResponse, store: Store, users: User[]) {
  const id = randomBytes(8).toString('hex').toUpperCase()
  outgoing.setHeader('x-amz-request-id', id)
  try {
    const request = parseRequest(incoming)
    // Errors have them, too, or the page could not read them.
    const rules = store.buckets.get(request.bucket)?.cors
    setHeaders(outgoing, corsHeaders(rules, request.method, request.headers))
    await send(outgoing, await answerTo(request, store, users))
  } catch (thrown) {
    const isGone = incoming.destroyed && !incoming.complete
    // Nobody is there to be told, or half of the answer is out and can only be cut off.
    if (isGone || outgoing.headersSent || outgoing.destroyed) outgoing.destroy()
    else await send(outgoing, answerOf(thrown, (incoming.url ?? '/').replace(/\?.*$/s, ''), id))
  } finally {
    // What is left of a refused body is read away, so that the client gets to the answer.
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
    // An upload may take any time; and an idle connection that is closed early meets the client's next request.
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
