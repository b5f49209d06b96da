import { randomUUID } from 'node:crypto'
import type { WebRequest } from '../../openwhisk/web'

/** What a client sends with the image. */
export interface PredictionForm {
  image: Uint8Array
  /** Of the query, or else of the form, as text; undefined where it is in neither. */
  threshold?: string
}

/** A query's field: raw web actions get the query as it came, others its fields as parameters. */
function queried({ __ow_query, ...params }: WebRequest, name: string): string | undefined {
  const value = __ow_query === undefined ? params[name] : new URLSearchParams(__ow_query).get(name)
  return typeof value === 'string' ? value : undefined
}

/** The form of a request for a prediction, or undefined where it is none. */
export async function readForm(request: WebRequest): Promise<PredictionForm | undefined> {
  const { __ow_body, __ow_headers } = request
  const type = __ow_headers['content-type'] ?? ''
  if (!__ow_body || !/^multipart\/form-data\b/i.test(type)) return undefined
  const form = await parse(Buffer.from(__ow_body, 'base64'), type)
  const image = form?.get('image')
  if (!(image instanceof Blob)) return undefined
  const field = form?.get('threshold')
  const threshold = queried(request, 'threshold') ?? (typeof field === 'string' ? field : undefined)
  return { image: new Uint8Array(await image.arrayBuffer()), threshold }
}

/** Node's own Response reads multipart bodies, but none with a boundary of less than 27 characters, which may have one. */
async function parse(body: Buffer, type: string): Promise<FormData | undefined> {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? []
  const boundary = randomUUID()
  const lines = `\r\n${body.toString('latin1')}`.replaceAll(`\r\n--${quoted ?? bare}`, `\r\n--${boundary}`)
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
  const response = new Response(Buffer.from(lines.slice(2), 'latin1'), { headers })
  return response.formData().catch(() => undefined)
}
