import type { Section } from '../contract'
import { isAbort, Trouble } from './problems'

/** Where `index.bin` is, and which version of it. */
export interface IndexSource {
  url: string
  etag: string
}

/** Sections that lie behind each other are read at once. @throws Trouble */
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
  // The rules of CORS may not let the page see it.
  const found = response.headers.get('etag')?.replaceAll('"', '') ?? etag
  if (found !== etag) throw await unreadable(response, 'index_changed')
  const bytes = new Uint8Array(await response.arrayBuffer())
  const part = response.status === 206 ? bytes : bytes.subarray(from, from + length)
  if (part.length === length) return part
  throw new Trouble({ code: 'index_changed', message: 'The index is shorter than it was' }, response.status)
}

/** A browser does not say why: the store is away, or does not let the page read. */
const notAllowed = (url: string): Trouble =>
  new Trouble({
    code: 'cors',
    message: `The object store at ${new URL(url).origin} does not let this page read the index`,
    hint: 'Set the CORS rules of docs/policies/cors.json on the results bucket; whisklens doctor tests them. Or the store cannot be reached from here.',
  })

/** Gone, replaced, or its address has expired: asking for the index again helps. */
async function unreadable(
  response: Response,
  code = [403, 404, 412, 416].includes(response.status) ? 'index_changed' : 'internal',
): Promise<Trouble> {
  await response.body?.cancel()
  return new Trouble(
    { code, message: `The object store answered ${response.status} for the index` },
    response.status,
  )
}

const unzip = (bytes: Uint8Array<ArrayBuffer>): Promise<unknown> =>
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json()
