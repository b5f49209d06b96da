import { HttpError } from '../../errors'
import {
  type Api,
  type ApiContext,
  checkLength,
  corsHeaders,
  type Host,
  isRecord,
  parseContent,
  readBytes,
  requestHeaders,
  typeOf,
} from './api'
import { within } from './invoke'
import { longestWait } from './limits'
import { joinNames } from './names'
import { annotationOf, finalParameters, type ResolvedAction, resolveAction } from './parameters'
import { notFound, orRefuse, parametersNotAllowed } from './refusals'
import { isBinaryType, isJsonType, render } from './web-response'

const extensions = /\.(json|http|html|svg|text)$/
const methods = ['GET', 'DELETE', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'PATCH']
const reserved = ['method', 'headers', 'path', 'user', 'query', 'body'].map((name) => `__ow_${name}`)

/** `/api/v1/web/{namespace}/{package}/{action}[.ext]`: actions that anybody may invoke over plain HTTP. */
export function webActionRoutes(api: Api, { entities, invoker, namespace, throttle }: Host): void {
  /** The exported action that a path leads to; the web does not learn of others. */
  function exportedAction(asked: string, packageName: string, name: string) {
    const names = packageName === 'default' ? [name] : [packageName, name]
    if (asked !== namespace) throw notFound()
    const path = orRefuse(notFound(), () => joinNames(namespace, ...names.map(decodeURIComponent)))
    const resolved = orRefuse(notFound(), () => resolveAction(entities, path))
    if (annotationOf(resolved.action, 'web-export') !== true) throw notFound()
    return resolved
  }

  api.on(methods, '/api/v1/web/*', async (c) => {
    const [asked = '', packageName = '', file = '', ...rest] = c.req.path.split('/').slice(4)
    const resolved = exportedAction(asked, packageName, file.replace(extensions, ''))
    // First: on a real server, calls without the secret and even OPTIONS count towards the namespace's rate, too.
    throttle.invocation()
    checkLength(c)
    if (annotationOf(resolved.action, 'web-custom-options') !== true) {
      c.header('Access-Control-Allow-Origin', '*')
      c.header('Access-Control-Allow-Methods', 'OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH')
      c.header('Access-Control-Allow-Headers', c.req.header('access-control-request-headers') ?? corsHeaders)
      if (c.req.method === 'OPTIONS') return c.body(null, 200)
    }
    if (c.req.method !== 'OPTIONS') checkSecret(c, resolved)
    const bytes = await readBytes(c)
    const payload = {
      __ow_method: c.req.method.toLowerCase(),
      __ow_headers: { ...(bytes.length > 0 && { 'content-type': typeOf(c) }), ...requestHeaders(c) },
      __ow_path: rest.map((segment) => `/${segment}`).join(''),
      ...(c.var.isUser && { __ow_user: namespace }),
      ...(annotationOf(resolved.action, 'raw-http') === true
        ? rawParams(c, bytes)
        : mergedParams(c, resolved, bytes)),
    }
    const { activationId, done } = invoker.invoke(resolved, payload, { transaction: c.var.transaction })
    c.header('X-OpenWhisk-Activation-Id', activationId)
    const activation = await within(longestWait, done)
    if (!activation) throw new HttpError(202, 'accepted', 'Response not yet ready.')
    // A real server fails to turn a list into a response.
    if (Array.isArray(activation.response.result)) {
      throw new HttpError(500, 'internal', 'There was an internal server error.')
    }
    const answer = render(extensions.exec(file)?.[1] ?? 'http', activation.response)
    for (const [name, value] of answer.headers) {
      c.header(name, value, { append: name.toLowerCase() === 'set-cookie' })
    }
    const isBodiless = answer.body === '' || answer.status === 204 || answer.status === 304
    return new Response(isBodiless ? null : answer.body, { status: answer.status, headers: c.res.headers })
  })
}

/** `require-whisk-auth` is either the secret itself or says whether only the namespace's key will do. */
function checkSecret(c: ApiContext, { action }: ResolvedAction): void {
  const wanted = annotationOf(action, 'require-whisk-auth') ?? false
  const isSecret = typeof wanted === 'string' || typeof wanted === 'number'
  const isRight = isSecret && c.req.header('x-require-whisk-auth') === String(wanted)
  if (wanted === false || isRight || (wanted === true && c.var.isUser)) return
  const why = 'Authentication is possible but has failed or not yet been provided.'
  throw new HttpError(401, 'unauthorized', why)
}

/** Query and body as they came; everything that is not text is base64, JSON too. */
function rawParams(c: ApiContext, bytes: Buffer): Record<string, unknown> {
  const isText = !isBinaryType(typeOf(c)) && typeOf(c) !== 'application/json'
  const body = bytes.toString(isText ? 'utf8' : 'base64')
  return { __ow_query: new URL(c.req.url).search.slice(1), __ow_body: body }
}

/** The query and the fields of a JSON or form body, the latter over the former. */
function mergedParams(c: ApiContext, resolved: ResolvedAction, bytes: Buffer): Record<string, unknown> {
  const body = fieldsOrBody(typeOf(c), bytes)
  const given = { ...Object.fromEntries(new URL(c.req.url).searchParams), ...(isRecord(body) && body) }
  const forbidden = new Set([...reserved, ...finalParameters(resolved)])
  if (Object.keys(given).some((key) => forbidden.has(key))) throw parametersNotAllowed()
  return isRecord(body) ? given : { ...given, __ow_body: body }
}

/** What a body says, with no fields where there is none; base64 of what is neither fields nor text. */
function fieldsOrBody(type: string, bytes: Buffer): unknown {
  if (isJsonType(type)) return parseContent(bytes, (value) => value)
  if (bytes.length === 0) return {}
  if (type === 'application/x-www-form-urlencoded') {
    return Object.fromEntries(new URLSearchParams(bytes.toString()))
  }
  return bytes.toString(isBinaryType(type) ? 'base64' : 'utf8')
}
