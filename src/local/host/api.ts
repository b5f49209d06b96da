import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { messageOf } from '../../errors'
import { HttpError } from '../http-error'
import type { Activations } from './activations'
import type { Entities } from './entities'
import type { Invoker } from './invoke'
import { parseJson } from './json'
import { checkSize, type Limits, sizes } from './limits'
import { joinNames } from './names'
import { malformedContent, malformedQuery } from './refusals'
import { systemNamespace } from './system'
import type { Throttle } from './throttle'
import type { Fire } from './triggers'

type Env = {
  Bindings: HttpBindings
  Variables: {
    /** Request id, the `code` of errors. */
    transaction: string
    /** Whether the request has the namespace's key. */
    isUser: boolean
  }
}
export type Api = Hono<Env>
export type ApiContext = Context<Env>

/** Shared by the routes of a host. */
export interface Host {
  namespace: string
  /** `uuid:key` of the namespace. */
  auth: string
  url(): string
  limits: Limits
  entities: Entities
  activations: Activations
  invoker: Invoker
  throttle: Throttle
  fire: Fire
}

/** Path prefix of requests; access to the namespace has already been checked. */
export const inNamespace = '/api/v1/namespaces/:namespace'

/** Request headers allowed for pages of other origins. */
export const corsHeaders = 'Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent'

/** Namespace of a request: the caller's, by name or as `_`, or the system's. */
export const namespaceOf = (c: ApiContext, { namespace }: Host): string =>
  c.req.param('namespace') === systemNamespace ? systemNamespace : namespace

/** Path of the requested entity: `guest/infer` or `guest/ml/infer`. */
export function entityPath(c: ApiContext, host: Host): string {
  const names = [c.req.param('package'), c.req.param('name')].filter((name) => name !== undefined)
  return joinNames(namespaceOf(c, host), ...names)
}

/** Body size limit; larger for PUT, which may hold code. */
const allowedSize = (c: ApiContext): number => (c.req.method === 'PUT' ? sizes.put : sizes.payload)

/** Checks the declared length of a body. @throws HttpError 413 */
export function checkLength(c: ApiContext): void {
  checkSize('Request', Number(c.req.header('content-length') ?? 0), allowedSize(c))
}

/** Reads the body up to the limit. @throws HttpError 413 */
export async function readBytes(c: ApiContext): Promise<Buffer> {
  checkLength(c)
  const pieces: Buffer[] = []
  let length = 0
  // The response needs the connection, so leaving the loop must not destroy it.
  for await (const piece of c.env.incoming.iterator({ destroyOnReturn: false })) {
    pieces.push(piece)
    length += piece.length
    checkSize('Request', length, allowedSize(c))
  }
  return Buffer.concat(pieces)
}

/** Parses the request's JSON. @throws HttpError 400, or 415 for another content type */
export async function readJson<T>(c: ApiContext, parse: (value: unknown) => T): Promise<T> {
  const bytes = await readBytes(c)
  const type = typeOf(c)
  if (bytes.length > 0 && type !== 'application/json') {
    const why = `The request's Content-Type [${type}] is not supported. Expected:\napplication/json`
    throw new HttpError(415, 'unsupported_type', why)
  }
  return parseContent(bytes, parse)
}

/** Parses a JSON body; an empty one is an empty object. @throws HttpError 400 */
export function parseContent<T>(bytes: Buffer, parse: (value: unknown) => T): T {
  try {
    return parse(parseJson(bytes.toString() || '{}'))
  } catch (cause) {
    throw malformedContent(messageOf(cause), cause)
  }
}

/** Request headers as actions see them, without those about the transfer. */
export function requestHeaders(c: ApiContext): Record<string, string> {
  const { 'content-length': _, 'transfer-encoding': __, ...headers } = c.req.header()
  return headers
}

/** The media type of the request's body. */
export const typeOf = (c: ApiContext): string =>
  (c.req.header('content-type') ?? 'application/octet-stream').replace(/;.*/, '').trim().toLowerCase()

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Parameters of an invocation or fire. */
export const readPayload = (c: ApiContext): Promise<Record<string, unknown>> =>
  readJson(c, (value) => {
    if (isRecord(value)) return value
    throw new Error('JSON object expected')
  })

/** A boolean query parameter, false by default. @throws HttpError 400 */
export function flagOf(c: ApiContext, parameter: string): boolean {
  const text = c.req.query(parameter) ?? 'false'
  if (/^(true|yes|on|1)$/i.test(text)) return true
  if (/^(false|no|off|0|)$/i.test(text)) return false
  throw malformedQuery(parameter, `'${text}' is not a valid Boolean value`)
}

const maxListed = 200

/** Responds with a page of a list by `skip` and `limit`, or with its length. */
export function listPage<T>(c: ApiContext, name: string, items: T[], show: (item: T) => object): Response {
  const number = (
    parameter: string,
    defaultValue: number,
    check: (value: number) => string | undefined,
  ): number => {
    const text = c.req.query(parameter) ?? String(defaultValue)
    const why = /^-?\d+$/.test(text) ? check(Number(text)) : 'an integer'
    if (why) throw malformedQuery(parameter, `The value '${text}' is not ${why} for ${name}.`)
    return Number(text)
  }
  const skip = number('skip', 0, (value) => (value < 0 ? 'greater than or equal to 0' : undefined))
  const limit = number('limit', 30, (value) =>
    value < 0 || value > maxListed ? `in the range of 0 to ${maxListed}` : undefined,
  )
  if (flagOf(c, 'count')) return c.json({ [name]: Math.max(0, items.length - skip) })
  return c.json(items.slice(skip, skip + (limit || maxListed)).map(show))
}
