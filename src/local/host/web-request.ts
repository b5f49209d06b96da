import { type ApiContext, isRecord, parseContent, readBytes, requestHeaders, typeOf } from './api'
import { annotationOf, finalParameters, type ResolvedAction } from './parameters'
import { parametersNotAllowed } from './refusals'
import { isBinaryType, isJsonType } from './web-response'

const reserved = ['method', 'headers', 'path', 'user', 'query', 'body'].map((name) => `__ow_${name}`)

/**
 * Parameters of a web action from a request.
 * @param path rest of the URL after the action's name
 * @throws HttpError 400, 413
 */
export async function webPayload(c: ApiContext, resolved: ResolvedAction, path: string, namespace: string) {
  const bytes = await readBytes(c)
  const isRaw = annotationOf(resolved.action, 'raw-http') === true
  return {
    __ow_method: c.req.method.toLowerCase(),
    __ow_headers: { ...(bytes.length > 0 && { 'content-type': typeOf(c) }), ...requestHeaders(c) },
    __ow_path: path,
    ...(c.var.isUser && { __ow_user: namespace }),
    ...(isRaw ? rawParams(c, bytes) : mergedParams(c, resolved, bytes)),
  }
}

/** Raw query and body; the body is base64 unless it is text, also for JSON. */
function rawParams(c: ApiContext, bytes: Buffer): Record<string, unknown> {
  const isText = !isBinaryType(typeOf(c)) && typeOf(c) !== 'application/json'
  const body = bytes.toString(isText ? 'utf8' : 'base64')
  return { __ow_query: new URL(c.req.url).search.slice(1), __ow_body: body }
}

/** Merges the fields of a JSON or form body over the query. */
function mergedParams(c: ApiContext, resolved: ResolvedAction, bytes: Buffer): Record<string, unknown> {
  const body = fieldsOrBody(typeOf(c), bytes)
  const given = { ...Object.fromEntries(new URL(c.req.url).searchParams), ...(isRecord(body) && body) }
  const forbidden = new Set([...reserved, ...finalParameters(resolved)])
  if (Object.keys(given).some((key) => forbidden.has(key))) throw parametersNotAllowed()
  return isRecord(body) ? given : { ...given, __ow_body: body }
}

/** Fields of a body; otherwise its text, or base64 of a binary one. */
function fieldsOrBody(type: string, bytes: Buffer): unknown {
  if (isJsonType(type)) return parseContent(bytes, (value) => value)
  if (bytes.length === 0) return {}
  if (type === 'application/x-www-form-urlencoded') {
    return Object.fromEntries(new URLSearchParams(bytes.toString()))
  }
  return bytes.toString(isBinaryType(type) ? 'base64' : 'utf8')
}
