import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { s3Error } from './s3-error'

export interface S3Request {
  method: string
  /** Percent-decoded once, as are `bucket` and `key`, which are empty if the path has none. */
  path: string
  bucket: string
  key: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  /** The body as it arrives. */
  incoming: IncomingMessage
}

/** Response of an operation: `stream`, `xml` or neither. */
export interface S3Response {
  status?: number
  headers?: Record<string, string>
  xml?: string
  stream?: NodeJS.ReadableStream
}

/** Maximum length of a key, bytes of UTF-8. */
const maxKeyLength = 1024

/** Percent-decodes once. @throws HttpError InvalidURI for text that is not UTF-8 */
export function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    throw s3Error('InvalidURI')
  }
}

/** Splits `/bucket/key`, with or without the leading slash. Not normalised: `..` is a valid key. */
export function splitPath(path: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^\/?([^/]*)\/?(.*)$/s.exec(path) ?? []
  if (Buffer.byteLength(key) > maxKeyLength) throw s3Error('KeyTooLongError')
  return { bucket, key }
}

/** Parses the raw request line; the URL class, and so Hono, would resolve `..` segments of a key. */
export function parseRequest(incoming: IncomingMessage): S3Request {
  const target = (incoming.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '')
  const cut = target.indexOf('?')
  const path = decoded(cut < 0 ? target : target.slice(0, cut))
  return {
    ...splitPath(path),
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(cut < 0 ? '' : target.slice(cut)),
    headers: incoming.headers,
    incoming,
  }
}

/** First value of a header. */
export function header(request: S3Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Percent-encodes as AWS does: all but letters, digits and `-._~`. */
export const encoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** As `encoded`, but keeps slashes. */
export const encodedPath = (path: string): string => path.split('/').map(encoded).join('/')
