import type { Section } from '../contract'
import { GalleryError, isAbort } from './problems'

/** URL and version of `index.bin`. */
export interface IndexSource {
  url: string
  etag: string
}

/** Reads sections; adjacent ones with one request. @throws GalleryError */
export async function readSections(
  fetcher: typeof fetch,
  source: IndexSource,
  sections: Section[],
  abort?: AbortSignal,
): Promise<unknown[]> {
  const from = Math.min(...sections.map(([start]) => start))
  const to = Math.max(...sections.map(([start, bytes]) => start + bytes))
  const wanted = sections.reduce((sum, [, bytes]) => sum + bytes, 0)
  if (to - from > wanted)
    return (
      await Promise.all(sections.map((section) => readSections(fetcher, source, [section], abort)))
    ).flat()
  const bytes = await readRange(fetcher, source, [from, to - from], abort)
  return Promise.all(
    sections.map(([start, length]) => unzip(bytes.subarray(start - from, start - from + length))),
  )
}

async function readRange(
  fetcher: typeof fetch,
  { url, etag }: IndexSource,
  [from, length]: Section,
  abort?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const headers = { range: `bytes=${from}-${from + length - 1}` }
  const response = await fetcher(url, { headers, signal: abort }).catch((thrown) => {
    throw isAbort(thrown) ? thrown : notAllowed(url)
  })
  if (!response.ok) throw await unreadable(response)
  // CORS rules may not expose the header.
  const found = response.headers.get('etag')?.replaceAll('"', '') ?? etag
  if (found !== etag) throw await unreadable(response, 'index_changed')
  const bytes = new Uint8Array(await response.arrayBuffer())
  const part = response.status === 206 ? bytes : bytes.subarray(from, from + length)
  if (part.length === length) return part
  throw new GalleryError({ code: 'index_changed', message: 'The index has changed' }, response.status)
}

/** Browsers do not distinguish CORS errors from network errors. */
const notAllowed = (url: string): GalleryError =>
  new GalleryError({
    code: 'cors',
    message: `The object store at ${new URL(url).origin} could not be read`,
    hint: 'Either it is unreachable, or the results bucket lacks the CORS rules of docs/policies/cors.json; whisklens doctor checks them.',
  })

/** The index is gone or replaced, or its URL has expired: loading it again helps. */
async function unreadable(
  response: Response,
  code = [403, 404, 412, 416].includes(response.status) ? 'index_changed' : 'internal',
): Promise<GalleryError> {
  await response.body?.cancel()
  return new GalleryError(
    { code, message: `The object store answered ${response.status} for the index` },
    response.status,
  )
}

const unzip = (bytes: Uint8Array<ArrayBuffer>): Promise<unknown> =>
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json()
