import * as z from 'zod'
import { WhisklensError } from '../../errors'
import { type ImageRef, keySchema } from '../../schema'
import type { Shape } from '../state/batch'

/*
 * The lines of a list of images. Which shape a list has, its first line tells; every other line has to be of the same.
 */

/** What a list says of an image. Without a bucket it is the batch's. */
export interface Listed extends Pick<ImageRef, 'key'> {
  bucket?: string
}

/** What S3 takes, bytes. */
const maxKeyBytes = 1024

const bucketName = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/

/** Columns as programs name them in a first line. */
const isHeading = (text: string): boolean =>
  /^(bucket|key|object|name|path|file(name)?|image|label|url)$/i.test(text)

/** Size, time, etag, version, flag, storage class and the like: each column of an inventory behind the key. */
const inventoryColumn =
  /^(\d*|\d{4}-\d\d-\d\dT[\d:.]+Z|[\da-f]{32}(-\d+)?|true|false|[A-Z][A-Z0-9_-]*|[\w.+/=-]{20,})$/

/** @throws WhisklensError `manifest_invalid` for a line that no shape has */
export function shapeOf(line: string): Shape {
  if (line.startsWith('\x1f')) throw invalid('It is compressed with gzip', line, 'Decompress it first.')
  refuseBinary(line)
  if (line.startsWith('{')) return 'json'
  const columns = fieldsOf(line)
  const [bucket = '', key, ...others] = columns ?? []
  const isCsv = key !== undefined && bucketName.test(bucket)
  if (isCsv && others.length === 0 && !isHeading(key)) return 'pair'
  if (isCsv && others.length > 0 && others.every((column) => inventoryColumn.test(column))) return 'inventory'
  // A comma may be part of a key; these are no keys.
  const isOther = isCsv || line.startsWith('"') || /^[a-z0-9._-]*[;\t|]/.test(line)
  if (isOther || (key !== undefined && isHeading(bucket))) throw unknownLayout(line)
  return 'keys'
}

/**
 * The image that a line names.
 * @throws WhisklensError `manifest_invalid` for a line that is not of the list's shape
 */
export function parseLine(line: string, shape: Shape): Listed {
  refuseBinary(line)
  const listed = parsers[shape](line)
  if (!listed) throw invalid('It names no image', line)
  const { bucket, key } = listed
  if (bucket !== undefined && !bucketName.test(bucket)) throw invalid('It names no bucket', line)
  if (!keySchema.safeParse(key).success) throw invalid('It names no key', line)
  if (Buffer.byteLength(key) > maxKeyBytes) throw invalid(`Its key has over ${maxKeyBytes} bytes`, line)
  return listed
}

const parsers: Record<Shape, (line: string) => Listed | undefined> = {
  keys: (line) => (line.startsWith('s3://') ? addressed(line) : { key: line }),
  json: (line) => addressed(addressIn(line)),
  pair: (line) => {
    const [bucket, key, ...others] = fieldsOf(line) ?? []
    return bucket === undefined || key === undefined || others.length > 0 ? undefined : { bucket, key }
  },
  inventory: (line) => {
    const [bucket, key, ...others] = fieldsOf(line) ?? []
    if (bucket === undefined || key === undefined || others.length === 0) return undefined
    return { bucket, key: decoded(key, line) }
  },
}

const addressSchema = z.union([
  z.object({ 'source-ref': z.string() }).transform((line) => line['source-ref']),
  z.object({ content: z.string() }).transform(({ content }) => content),
])

function addressIn(line: string): string | undefined {
  try {
    return addressSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

/** @param address `s3://bucket/key`, as it is, without any encoding */
export function addressed(address = ''): { bucket: string; key: string } | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]*)\/(.*)$/s.exec(address) ?? []
  return bucket === undefined || key === undefined ? undefined : { bucket, key }
}

/** As forms encode: a plus is a space. */
function decoded(key: string, line: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch (cause) {
    throw invalid('Its key is not URL-encoded', line, undefined, cause)
  }
}

/** The fields of a line of CSV, quoted or not; undefined where a quote is out of its place. */
export function fieldsOf(line: string): string[] | undefined {
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/gy
  const fields: string[] = []
  for (;;) {
    const found = field.exec(line)
    if (!found) return undefined
    const [, quoted, plain = '', end] = found
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '') return fields
  }
}

/** Whether a line of CSV goes on in the next one, inside of quotes. @param shape undefined for the first line */
export function isContinued(line: string, shape: Shape | undefined): boolean {
  const isCsv =
    shape === undefined ? /^(".*|[a-z0-9._-]+,")/.test(line) : shape === 'pair' || shape === 'inventory'
  return isCsv && (line.match(/"/g)?.length ?? 0) % 2 === 1
}

function refuseBinary(line: string): void {
  if (/[\0\ufffd]/.test(line)) throw invalid('It is not text in UTF-8', line, 'Save the list as UTF-8.')
}

const unknownLayout = (line: string): WhisklensError => invalid('Its columns are not known', line)

const longestShown = 120

function invalid(problem: string, line: string, hint?: string, cause?: unknown): WhisklensError {
  const shown = JSON.stringify(line.length > longestShown ? `${line.slice(0, longestShown)}…` : line)
  return new WhisklensError('manifest_invalid', `${problem}: ${shown}`, { hint, cause })
}
