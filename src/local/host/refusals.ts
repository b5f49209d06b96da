import { HttpError } from '../http-error'

/** Errors with a real server's messages. */
export const badRequest = (message: string, cause?: unknown): HttpError =>
  new HttpError(400, 'bad_request', message, { cause })

export const malformedQuery = (parameter: string, why: string): HttpError =>
  badRequest(`The query parameter '${parameter}' was malformed:\n${why}`)

/** For a body that cannot be parsed or is invalid. */
export const malformedContent = (why: string, cause?: unknown): HttpError =>
  badRequest(`The request content was malformed:\n${why}`, cause)

export const conflict = (message: string): HttpError => new HttpError(409, 'conflict', message)

export const forbidden = (what: string): HttpError =>
  new HttpError(403, 'forbidden', `The supplied authentication is not authorized to access '${what}'.`)

export const notFound = (what?: string): HttpError =>
  new HttpError(404, 'not_found', `The requested resource${what ? ` '${what}'` : ''} does not exist.`)

export const unauthorized = (): HttpError => {
  const message = 'The resource requires authentication, which was not supplied with the request'
  return new HttpError(401, 'unauthorized', message)
}

export const parametersNotAllowed = (): HttpError =>
  badRequest('Request defines parameters that are not allowed (e.g., reserved properties).')

/** Calls `call`, and throws `refusal` if that fails. */
export function orThrow<T>(refusal: HttpError, call: () => T): T {
  try {
    return call()
  } catch {
    throw refusal
  }
}
