import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { s3Error } from './s3-error'

export interface S3Request {
  method: string
  /** Percent-decoded once, as are `bucket` and `key`, which are empty where the path does not name one. */
  path: string
  bucket: string
  key: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  /** The body as it arrives. */
  incoming: IncomingMessage
}

/** What an operation answers; `stream` or `xml`, or neither. */
export interface Answer {
  status?: number
  headers?: Record<string, string>
  xml?: string
  stream?: NodeJS.ReadableStream
}

/** The longest key, in bytes of UTF-8. */
const maxKeyLength = 1024

/** Percent-decodes once; text that is no UTF-8 is refused. */
export function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    throw s3Error('InvalidURI')
  }
}

/** Bucket and key out of `/bucket/key`, with or without the first slash. Nothing is normalised: `..` is a fine key. */
export function splitPath(path: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^\/?([^/]*)\/?(.*)$/s.exec(path) ?? []
  if (Buffer.byteLength(key) > maxKeyLength) throw s3Error('KeyTooLongError')
  return { bucket, key }
}

/** Reads the request line as it was sent; the URL class, and with it Hono, would resolve `..` segments of a key. */
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

/** A header that may be there once. */
export function header(request: S3Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Percent-encodes as AWS does, all but letters, digits and `-._~`. */
export const encoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** The same, with the slashes of a path left as they are. */
export const encodedPath = (path: string): string => path.split('/').map(encoded).join('/')
