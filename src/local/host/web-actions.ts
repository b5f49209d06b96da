import { HttpError } from '../http-error'
import { type Api, type ApiContext, checkLength, corsHeaders, type Host } from './api'
import { within } from './invoke'
import { maxWait } from './limits'
import { joinNames } from './names'
import { annotationOf, type ResolvedAction, resolveAction } from './parameters'
import { notFound, orThrow } from './refusals'
import { webPayload } from './web-request'
import { type Rendered, render } from './web-response'

const extensions = /\.(json|http|html|svg|text)$/
const methods = ['GET', 'DELETE', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'PATCH']

/** `/api/v1/web/{namespace}/{package}/{action}[.ext]`: public actions over plain HTTP. */
export function webActionRoutes(api: Api, { entities, invoker, namespace, throttle }: Host): void {
  /** Resolves an exported action; others are reported as missing. */
  function exportedAction(asked: string, packageName: string, name: string) {
    const names = packageName === 'default' ? [name] : [packageName, name]
    if (asked !== namespace) throw notFound()
    const path = orThrow(notFound(), () => joinNames(namespace, ...names.map(decodeURIComponent)))
    const resolved = orThrow(notFound(), () => resolveAction(entities, path))
    if (annotationOf(resolved.action, 'web-export') !== true) throw notFound()
    return resolved
  }

  api.on(methods, '/api/v1/web/*', async (c) => {
    const [asked = '', packageName = '', file = '', ...rest] = c.req.path.split('/').slice(4)
    const resolved = exportedAction(asked, packageName, file.replace(extensions, ''))
    // First: on a real server, even OPTIONS and calls without the secret count towards the rate of the namespace.
    throttle.invocation()
    checkLength(c)
    const isOptions = c.req.method === 'OPTIONS'
    if (annotationOf(resolved.action, 'web-custom-options') !== true) {
      allowOtherOrigins(c)
      if (isOptions) return c.body(null, 200)
    }
    if (!isOptions) checkSecret(c, resolved)
    const segments = rest.map((segment) => `/${segment}`).join('')
    const payload = await webPayload(c, resolved, segments, namespace)
    const { activationId, done } = invoker.invoke(resolved, payload, { transaction: c.var.transaction })
    c.header('X-OpenWhisk-Activation-Id', activationId)
    const activation = await within(maxWait, done)
    if (!activation) throw new HttpError(202, 'accepted', 'Response not yet ready.')
    // A real server cannot convert an array to a response.
    if (Array.isArray(activation.response.result)) {
      throw new HttpError(500, 'internal', 'There was an internal server error.')
    }
    return respond(c, render(extensions.exec(file)?.[1] ?? 'http', activation.response))
  })
}

function allowOtherOrigins(c: ApiContext): void {
  c.header('Access-Control-Allow-Origin', '*')
  c.header('Access-Control-Allow-Methods', 'OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH')
  c.header('Access-Control-Allow-Headers', c.req.header('access-control-request-headers') ?? corsHeaders)
}

function respond(c: ApiContext, { status, headers, body }: Rendered): Response {
  for (const [name, value] of headers) {
    c.header(name, value, { append: name.toLowerCase() === 'set-cookie' })
  }
  const isBodiless = body === '' || status === 204 || status === 304
  return new Response(isBodiless ? null : body, { status, headers: c.res.headers })
}

/** `require-whisk-auth` is either the secret itself, or `true` to require the namespace's key. */
function checkSecret(c: ApiContext, { action }: ResolvedAction): void {
  const wanted = annotationOf(action, 'require-whisk-auth') ?? false
  const isSecret = typeof wanted === 'string' || typeof wanted === 'number'
  const isRight = isSecret && c.req.header('x-require-whisk-auth') === String(wanted)
  if (wanted === false || isRight || (wanted === true && c.var.isUser)) return
  const why = 'Authentication is possible but has failed or not yet been provided.'
  throw new HttpError(401, 'unauthorized', why)
}
