import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { Busboy } from '@fastify/busboy'
import * as z from 'zod'
import type { WebRequest } from '../../openwhisk/web'

/** Fields of a prediction request. */
export const predictionSchema = z.object({
  image: z
    .custom<Uint8Array>((value) => value instanceof Uint8Array)
    .describe('The image, as a file of the form.'),
  threshold: z
    .string()
    .optional()
    .describe(
      'Least probability of a detection, 0 to 1, in the query or the form; only for models that detect objects.',
    )
    .meta({ typeName: 'number', defaultText: '`0.7`' }),
})
export type PredictionForm = z.infer<typeof predictionSchema>

/** A query field: raw web actions get the query string, others its fields as parameters. */
function queried({ __ow_query, ...params }: WebRequest, name: string): string | undefined {
  const value = __ow_query === undefined ? params[name] : new URLSearchParams(__ow_query).get(name)
  return typeof value === 'string' ? value : undefined
}

/** Parses the form of a prediction request; undefined if it is not one. */
export async function readForm(request: WebRequest): Promise<PredictionForm | undefined> {
  const { __ow_body, __ow_headers } = request
  const [, quoted, bare] =
    /^multipart\/form-data\b.*?;\s*boundary=(?:"([^"]+)"|([^;\s]+))/is.exec(
      __ow_headers['content-type'] ?? '',
    ) ?? []
  const boundary = quoted ?? bare
  if (!__ow_body || !boundary) return undefined
  const form = await parse(Buffer.from(__ow_body, 'base64'), boundary).catch(() => undefined)
  const image = form?.files.get('image')
  return image && { image, threshold: queried(request, 'threshold') ?? form?.fields.get('threshold') }
}

interface Form {
  files: Map<string, Buffer>
  fields: Map<string, string>
}

/** As in Flask, a part with a file name or a non-text type is a file, and the first of several with the same name counts. */
async function parse(body: Buffer, boundary: string): Promise<Form> {
  const newBoundary = randomUUID()
  const parser = new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary=${newBoundary}` },
    isPartAFile: (_, type, filename) => filename !== undefined || !(type ?? 'text/plain').startsWith('text/'),
  })
  const files = new Map<string, Promise<Buffer>>()
  const fields = new Map<string, string>()
  parser.on('field', (name, value) => fields.has(name) || fields.set(name, value))
  parser.on('file', (name, stream) => {
    const bytes = buffer(stream)
    // The parser reports the failure as well.
    bytes.catch(() => {})
    if (!files.has(name)) files.set(name, bytes)
  })
  await new Promise((resolve, reject) => {
    parser.on('finish', resolve).on('error', reject)
    parser.end(withLineEnds(body, boundary, newBoundary))
  })
  const read = await Promise.all([...files].map(async ([name, bytes]) => [name, await bytes] as const))
  return { files: new Map(read), fields }
}

/** Limit of headers per part: bounds the time to parse a hostile form. */
const maxHeaders = 20

const lineEnd = '(?:\\r\\n|\\n|\\r(?!\\n))'

/**
 * Normalises line ends. The parser requires CRLF and no spaces after a boundary, as the standard does; Flask also accepts LF and CR:
 * the line end of the first boundary separates the parts.
 */
function withLineEnds(body: Buffer, boundary: string, replacement: string): Buffer {
  const text = body.toString('latin1')
  const line = `--${boundary.replace(/[^\w]/g, '\\$&')}(--)?[ \\t]*`
  const [, , separator = '\r\n'] = new RegExp(`(?:^|[\\r\\n])${line}(${lineEnd})`).exec(text) ?? []
  const headers = `(?:[^\\r\\n]+${lineEnd}){0,${maxHeaders}}${lineEnd}`
  const delimiter = new RegExp(`(?:^|${separator})${line}(?:$|${separator}(${headers})?)`, 'g')
  const delimited = text.replace(delimiter, (_, last = '', block = '') => {
    const lines = block.replace(/\r\n|\n|\r/g, '\r\n')
    return `\r\n--${replacement}${last}\r\n${lines}`
  })
  return Buffer.from(delimited, 'latin1')
}
