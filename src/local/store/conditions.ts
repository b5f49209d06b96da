import type { IncomingHttpHeaders } from 'node:http'
import type { Body } from './bucket'
import { s3Error } from './s3-error'

/** Whether an If-Match or If-None-Match list contains an etag. */
const names = (list: string, etag: string): boolean =>
  list.split(',').some((item) => ['*', etag].includes(item.trim().replace(/^(?:W\/)?"(.*)"$/, '$1')))

/**
 * Checks the preconditions of a read, in the order of RFC 9110, section 13.2.2: etags take precedence over dates.
 * @param prefix of the headers about a copy source
 */
export function checkRead(
  { etag, modified }: Body,
  headers: IncomingHttpHeaders,
  prefix = '',
): 'ok' | 'not-modified' {
  const text = (name: string): string | undefined => headers[prefix + name]?.toString()
  const ifMatch = text('if-match')
  const ifUnmodifiedSince = text('if-unmodified-since')
  const ifNoneMatch = text('if-none-match')
  const ifModifiedSince = text('if-modified-since')
  if (ifMatch !== undefined) {
    if (!names(ifMatch, etag)) throw s3Error('PreconditionFailed')
  } else if (ifUnmodifiedSince !== undefined && modified > Date.parse(ifUnmodifiedSince)) {
    throw s3Error('PreconditionFailed')
  }
  if (ifNoneMatch !== undefined) return names(ifNoneMatch, etag) ? 'not-modified' : 'ok'
  const isOld = ifModifiedSince !== undefined && modified <= Date.parse(ifModifiedSince)
  return isOld ? 'not-modified' : 'ok'
}

/** Checks the preconditions of a write; must be synchronous with the commit. */
export function checkWrite(current: Body | undefined, headers: IncomingHttpHeaders): void {
  const ifMatch = headers['if-match']
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw s3Error('NotImplemented', 'If-None-Match of a write can only be *')
  }
  if (ifNoneMatch !== undefined && current) throw s3Error('PreconditionFailed')
  if (ifMatch === undefined) return
  if (!current) throw s3Error('NoSuchKey')
  if (!names(ifMatch, current.etag)) throw s3Error('PreconditionFailed')
}

/** First and last byte of a Range header; undefined for the whole object, or an invalid header. */
export function rangeOf(
  range: string | undefined,
  size: number,
): { first: number; last: number } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? []
  if ((from === '' && to === '') || (from !== '' && to !== '' && Number(from) > Number(to))) return undefined
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (first >= size || last < first) throw s3Error('InvalidRange')
  return { first, last }
}
