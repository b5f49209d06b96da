import { HttpError } from '../http-error'
import { isRecord } from './api'
import { badRequest } from './refusals'
import type { ActivationResponse } from './response'

/** HTTP response of a web action. */
export interface Rendered {
  status: number
  headers: [string, string][]
  body: string | Buffer
}

/** Whether bodies of a media type are passed as base64. As on a real server, SVG counts as an image and so as binary. */
export const isBinaryType = (type: string): boolean =>
  !/^(text\/.*|application\/(json|javascript|x-www-form-urlencoded|xml|.*\+(xml|json)))$/i.test(type)

export const isJsonType = (type: string): boolean => /^application\/json$|\+json$/i.test(type)
const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0

/** Renders a response for an extension; for an error, the `error` that the action returned. */
export function render(extension: string, { status, result, success }: ActivationResponse): Rendered {
  if (!success && status !== 'application error')
    throw badRequest('There was an error processing your request.')
  const value = success ? result : (result as { error: unknown }).error
  const part = isRecord(value) ? (value.body ?? value[extension]) : value
  const text = (type: string, body: unknown): Rendered => {
    if (typeof body === 'string') return { status: 200, headers: [['content-type', type]], body }
    throw badRequest(`Response is not valid '${type.replace(/;.*/, '')}'.`)
  }
  switch (extension) {
    case 'json':
      return text('application/json', typeof value === 'object' && value ? JSON.stringify(value) : undefined)
    case 'html':
      return text('text/html; charset=UTF-8', part)
    case 'svg':
      return text('image/svg+xml', part)
    case 'text':
      if (part === undefined)
        throw new HttpError(404, 'not_found', 'Response does not include requested property.')
      return text(
        'text/plain; charset=UTF-8',
        typeof part === 'string' ? part : JSON.stringify(part, null, 2),
      )
    default:
      if (isRecord(value)) return renderHttp(value)
      throw notHttp()
  }
}

const notHttp = (): HttpError => badRequest("Response is not valid 'message/http'.")

/** `{statusCode, headers, body}`, all optional. */
function renderHttp({ statusCode, headers = {}, body }: Record<string, unknown>): Rendered {
  const status = typeof statusCode === 'boolean' ? Number.NaN : Number(statusCode ?? 200)
  if (!Number.isInteger(status) || status < 200 || status > 599 || !isRecord(headers)) throw notHttp()
  const all = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => {
      if (typeof one === 'object') throw notHttp()
      return [name, String(one)]
    }),
  )
  const isType = ([name]: [string, string]): boolean => name.toLowerCase() === 'content-type'
  const others = all.filter((header) => !isType(header))
  if (body === undefined || body === null || body === '') {
    return { status: statusCode === undefined ? 204 : status, headers: others, body: '' }
  }
  const [type, content] = contentOf(body, all.find(isType)?.[1].trim())
  return { status, headers: [...others, ['content-type', type]], body: content }
}

/** Body for its content type. Base64 is decoded for binary types and, for historical reasons, JSON. */
function contentOf(body: unknown, wanted: string | undefined): [type: string, content: string | Buffer] {
  const [type = ''] = (wanted ?? (typeof body === 'string' ? 'text/html' : 'application/json')).split(';')
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(type)) throw badRequest('Response did not specify a known content-type.')
  const isKnownText = !isBinaryType(type)
  // An unknown type with a charset, such as JSON Lines, is text.
  const isText = isKnownText || /;\s*charset=/i.test(wanted ?? '')
  const full = isKnownText && !isJsonType(type) ? `${type}; charset=UTF-8` : (wanted ?? type)
  if (typeof body !== 'string' && isJsonType(type)) return [full, JSON.stringify(body)]
  if (typeof body === 'string' && isText && !(isJsonType(type) && isBase64(body))) return [full, body]
  if (typeof body === 'string' && isBase64(body)) return [full, Buffer.from(body, 'base64')]
  throw badRequest('Response type in header did not match generated content type.')
}
