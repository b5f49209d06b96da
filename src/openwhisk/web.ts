import { errorCodes } from '../error-codes'
import { hintOf, WhisklensError } from '../errors'
import { log } from '../log'
import { isSameSecret } from '../same-secret'

/** What the platform adds to a web action's parameters; only web actions read it. */
export interface WebRequest extends Record<string, unknown> {
  __ow_method: string
  __ow_headers: Record<string, string>
  /** What follows the action's name, with its slash; empty for the bare URL. */
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

/** The answer to a method that a known path does not have. */
export function methodNotAllowed(method: string, allowed: string[]): WebResponse {
  const message = `Expected ${allowed.join(' or ')}, not ${method.toUpperCase()}`
  const { headers, ...answer } = refusal(new WhisklensError('method_not_allowed', message))
  return { ...answer, headers: { ...headers, allow: allowed.join(', ') } }
}

/** The method that a request is answered as: the platform drops the body of an answer to HEAD itself. */
export const methodOf = ({ __ow_method }: WebRequest): string =>
  __ow_method === 'head' ? 'get' : __ow_method

/** The answer for anything thrown, with its code's status: our own errors with message and hint, all others without detail. */
export function errorResponse(thrown: unknown): WebResponse {
  if (thrown instanceof WhisklensError) return refusal(thrown)
  log.error({ err: thrown }, 'web action failed')
  const message = 'Something went wrong; the activation log says more.'
  return json(errorCodes.internal.status, { error: { code: 'internal', message } })
}

const refusal = (error: WhisklensError): WebResponse => {
  const { code, message } = error
  return json(errorCodes[code].status, { error: { code, message, hint: hintOf(error) } })
}

/**
 * Whether a request carries the token, as `Authorization: Bearer …` (or the bare token, as MinIO sends it) or `?token=`.
 * Without a token every request is refused.
 */
export function isAuthorized(request: WebRequest, token: string | undefined): boolean {
  if (!token) return false
  const header = request.__ow_headers.authorization?.replace(/^Bearer /i, '')
  // A raw web action gets its query unparsed.
  const query = request.token ?? new URLSearchParams(request.__ow_query).get('token')
  const given = header ?? query
  return typeof given === 'string' && isSameSecret(given, token)
}

export const unauthorized = (): WebResponse =>
  refusal(new WhisklensError('unauthorized', 'Expected a valid token'))
