import * as z from 'zod'
import { WhisklensError } from '../../errors'
import { type ImageRef, keySchema } from '../../schema'
import type { Shape } from '../state/batch'

/*
 * Lines of an image list. The first line determines the shape; every other line must have the same.
 */

/** An image named by a list. The bucket defaults to the batch's. */
export interface Listed extends Pick<ImageRef, 'key'> {
  bucket?: string
}

/** The limit of S3, bytes. */
const maxKeyBytes = 1024

const bucketName = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/

/** Column names that programs write into a first line. */
const isHeading = (text: string): boolean =>
  /^(bucket|key|object|name|path|file(name)?|image|label|url)$/i.test(text)

/** Size, time, etag, version, flag, storage class and the like: the columns of an inventory after the key. */
const inventoryColumn =
  /^(\d*|\d{4}-\d\d-\d\dT[\d:.]+Z|[\da-f]{32}(-\d+)?|true|false|[A-Z][A-Z0-9_-]*|[\w.+/=-]{20,})$/

/** @throws WhisklensError `manifest_invalid` for a line of unknown shape */
export function shapeOf(line: string): Shape {
  if (line.startsWith('\x1f')) throw invalid('The list is compressed with gzip', line, 'Decompress it first.')
  refuseBinary(line)
  if (line.startsWith('{')) return 'json'
  const columns = fieldsOf(line)
  const [bucket = '', key, ...others] = columns ?? []
  const isCsv = key !== undefined && bucketName.test(bucket)
  if (isCsv && others.length === 0 && !isHeading(key)) return 'pair'
  if (isCsv && others.length > 0 && others.every((column) => inventoryColumn.test(column))) return 'inventory'
  // A comma may belong to a key; these lines cannot be keys.
  const isOther = isCsv || line.startsWith('"') || /^[a-z0-9._-]*[;\t|]/.test(line)
  if (isOther || (key !== undefined && isHeading(bucket))) throw unknownLayout(line)
  return 'keys'
}

/**
 * Parses the image named by a line.
 * @throws WhisklensError `manifest_invalid` for a line of another shape than the list's
 */
export function parseLine(line: string, shape: Shape): Listed {
  refuseBinary(line)
  const listed = parsers[shape](line)
  if (!listed) throw invalid('No image is named', line)
  const { bucket, key } = listed
  if (bucket !== undefined && !bucketName.test(bucket)) throw invalid('The bucket name is not valid', line)
  if (!keySchema.safeParse(key).success) throw invalid('The key is not valid', line)
  if (Buffer.byteLength(key) > maxKeyBytes) throw invalid(`The key is longer than ${maxKeyBytes} bytes`, line)
  return listed
}

const parsers: Record<Shape, (line: string) => Listed | undefined> = {
  keys: (line) => (line.startsWith('s3://') ? parseAddress(line) : { key: line }),
  json: (line) => parseAddress(addressField(line)),
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

function addressField(line: string): string | undefined {
  try {
    return addressSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

/** @param address `s3://bucket/key`, not encoded */
export function parseAddress(address = ''): { bucket: string; key: string } | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]*)\/(.*)$/s.exec(address) ?? []
  return bucket === undefined || key === undefined ? undefined : { bucket, key }
}

/** Decodes form encoding, where a plus is a space. */
function decoded(key: string, line: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch (cause) {
    throw invalid('The key is not URL-encoded', line, undefined, cause)
  }
}

/** The fields of a CSV line; undefined when a quote is misplaced. */
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

/** Whether a quoted CSV field continues on the next line. @param shape undefined for the first line */
export function isContinued(line: string, shape: Shape | undefined): boolean {
  const isCsv =
    shape === undefined ? /^(".*|[a-z0-9._-]+,")/.test(line) : shape === 'pair' || shape === 'inventory'
  return isCsv && (line.match(/"/g)?.length ?? 0) % 2 === 1
}

function refuseBinary(line: string): void {
  if (/[\0\ufffd]/.test(line)) throw invalid('The list is not UTF-8 text', line, 'Save the list as UTF-8.')
}

const unknownLayout = (line: string): WhisklensError => invalid('The columns are not recognized', line)

const maxShown = 120

function invalid(problem: string, line: string, hint?: string, cause?: unknown): WhisklensError {
  const shown = JSON.stringify(line.length > maxShown ? `${line.slice(0, maxShown)}…` : line)
  return new WhisklensError('manifest_invalid', `${problem}: ${shown}`, { hint, cause })
}
