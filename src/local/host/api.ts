import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { messageOf } from '../../errors'
import type { Activations } from './activations'
import type { Entities } from './entities'
import type { Invoker } from './invoke'
import { parseJson } from './json'
import { checkSize, type Limits, sizes } from './limits'
import { joinNames } from './names'
import { badRequest } from './refusals'
import { systemNamespace } from './system'
import type { Throttle } from './throttle'
import type { Fire } from './triggers'

type Env = {
  Bindings: HttpBindings
  Variables: {
    /** The id of the request, by which an error's `code` refers to it. */
    transaction: string
    /** Whether the request came with the namespace's key. */
    isUser: boolean
  }
}
export type Api = Hono<Env>
export type ApiContext = Context<Env>

/** What the resources of a host share. */
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

/** What a request's path begins with; that the caller may use the namespace is seen to before. */
export const inNamespace = '/api/v1/namespaces/:namespace'

/** The request headers that pages of other origins may send. */
export const corsHeaders = 'Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent'

/** The namespace a request is about: the caller's own, by its name or as `_`, or the system's. */
export const namespaceOf = (c: ApiContext, { namespace }: Host): string =>
  c.req.param('namespace') === systemNamespace ? systemNamespace : namespace

/** The entity a request is about: `guest/infer` or `guest/ml/infer`. */
export function entityPath(c: ApiContext, host: Host): string {
  const names = [c.req.param('package'), c.req.param('name')].filter((name) => name !== undefined)
  return joinNames(namespaceOf(c, host), ...names)
}

/** A body may be larger when it can hold code. */
const allowedSize = (c: ApiContext): number => (c.req.method === 'PUT' ? sizes.put : sizes.payload)

/** Refuses a body that says that it is too large. @throws HttpError 413 */
export function checkLength(c: ApiContext): void {
  checkSize('Request', Number(c.req.header('content-length') ?? 0), allowedSize(c))
}

/** The request's body. One that is larger than it may be is read no further. @throws HttpError 413 */
export async function readBytes(c: ApiContext): Promise<Buffer> {
  checkLength(c)
  const pieces: Buffer[] = []
  let length = 0
  // The connection outlives the loop: it is needed for the answer.
  for await (const piece of c.env.incoming.iterator({ destroyOnReturn: false })) {
    pieces.push(piece)
    length += piece.length
    checkSize('Request', length, allowedSize(c))
  }
  return Buffer.concat(pieces)
}

/** Makes something of the request's JSON; what goes wrong is the sender's fault. */
export async function readJson<T>(c: ApiContext, parse: (value: unknown) => T): Promise<T> {
  const text = (await readBytes(c)).toString() || '{}'
  try {
    return parse(parseJson(text))
  } catch (cause) {
    throw badRequest(`The request content was malformed:\n${messageOf(cause)}`, cause)
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The parameters of an invocation or a fire. */
export const readPayload = (c: ApiContext): Promise<Record<string, unknown>> =>
  readJson(c, (value) => {
    if (isRecord(value)) return value
    throw new Error('Object expected')
  })

const mostListed = 200

/** Answers with the part of a list that `skip` and `limit` ask for, or with its length. */
export function listPage<T>(c: ApiContext, name: string, items: T[], show: (item: T) => object): Response {
  const number = (parameter: string, fallback: number, most: number): number => {
    const text = c.req.query(parameter) ?? String(fallback)
    if (/^\d+$/.test(text) && Number(text) <= most) return Number(text)
    throw badRequest(`The value '${text}' is not in the range of 0 to ${most} for ${name}.`)
  }
  const skip = number('skip', 0, Number.MAX_SAFE_INTEGER)
  const limit = number('limit', 30, mostListed) || mostListed
  if (c.req.query('count') === 'true') return c.json({ [name]: Math.max(0, items.length - skip) })
  return c.json(items.slice(skip, skip + limit).map(show))
}
