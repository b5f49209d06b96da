import { errorCodes } from '../error-codes'
import { hintOf, WhisklensError } from '../errors'
import { log } from '../log'
import { isSameSecret } from '../same-secret'

/** Parameters that the platform adds for web actions. */
export interface WebRequest extends Record<string, unknown> {
  __ow_method: string
  __ow_headers: Record<string, string>
  /** The path after the action's name, with a leading slash; empty for the bare URL. */
  __ow_path: string
  /** Only with `web: raw`. */
  __ow_query?: string
  __ow_body?: string
}

export interface WebResponse {
  statusCode: number
  headers: Record<string, string>
  body: unknown
}

export const json = (statusCode: number, body: unknown): WebResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body,
})

/** The response to an unsupported method of a known path. */
export function methodNotAllowed(method: string, allowed: string[]): WebResponse {
  const message = `Expected ${allowed.join(' or ')}, not ${method.toUpperCase()}`
  const { headers, ...answer } = refusal(new WhisklensError('method_not_allowed', message))
  return { ...answer, headers: { ...headers, allow: allowed.join(', ') } }
}

/** The method to respond to. HEAD is served as GET: the platform drops the body. */
export const methodOf = ({ __ow_method }: WebRequest): string =>
  __ow_method === 'head' ? 'get' : __ow_method

/** The response for an error: our own with message and hint, all others without details. */
export function errorResponse(thrown: unknown): WebResponse {
  if (thrown instanceof WhisklensError) return refusal(thrown)
  log.error({ err: thrown }, 'the web action failed')
  const message = 'Internal error; see the activation log.'
  return json(errorCodes.internal.status, { error: { code: 'internal', message } })
}

const refusal = (error: WhisklensError): WebResponse => {
  const { code, message } = error
  return json(errorCodes[code].status, { error: { code, message, hint: hintOf(error) } })
}

/**
 * Whether a request has the token, as `Authorization: Bearer …` (or bare, as MinIO sends it) or `?token=`. Without a
 * configured token every request is refused.
 */
export function isAuthorized(request: WebRequest, token: string | undefined): boolean {
  if (!token) return false
  const header = request.__ow_headers.authorization?.replace(/^Bearer /i, '')
  // A raw web action receives its query unparsed.
  const query = request.token ?? new URLSearchParams(request.__ow_query).get('token')
  const given = header ?? query
  return typeof given === 'string' && isSameSecret(given, token)
}

export const unauthorized = (): WebResponse =>
  refusal(new WhisklensError('unauthorized', 'Expected a valid token'))
