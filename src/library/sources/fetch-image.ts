import pRetry from 'p-retry'
import { ImageError } from '../../errors'
import { maxImageBytes } from '../../image-files'
import { openWebAgent, reasonOf, webFetch } from '../../web-agent'

const retries = { retries: 2, minTimeout: 500, randomize: true }

/** Shared by all fetches; never closed. */
let agent: ReturnType<typeof openWebAgent> | undefined

/** The URL without credentials and query, which may hold a signature. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

/**
 * Downloads an image; follows redirects.
 * @throws ImageError `image_missing`, `access_denied`, `image_too_large` or `download_failed`
 */
export async function fetchImage(url: string): Promise<Uint8Array> {
  if (!URL.canParse(url)) throw new ImageError('download_failed', `${url} is not a URL`)
  return pRetry(() => fetchOnce(url), {
    ...retries,
    shouldRetry: ({ error }) => error instanceof ImageError && error.retryable,
  })
}

async function fetchOnce(url: string): Promise<Uint8Array> {
  agent ??= openWebAgent()
  const response = await webFetch(url, { dispatcher: agent }).catch((cause) => {
    throw new ImageError('download_failed', `Could not fetch ${shown(url)}: ${reasonOf(cause)}`, {
      retryable: true,
      cause,
    })
  })
  if (!response.ok) {
    await response.body?.cancel()
    throw refused(url, response.status)
  }
  return receive(url, response)
}

type Response = Awaited<ReturnType<typeof webFetch>>

/** Stops at the size limit: content-length may be missing or wrong. */
async function receive(url: string, response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = Number(response.headers.get('content-length') ?? 0)
  if (size <= maxImageBytes) {
    size = 0
    try {
      for await (const chunk of response.body ?? []) {
        chunks.push(chunk)
        size += chunk.length
        if (size > maxImageBytes) break
      }
    } catch (cause) {
      const message = `Could not fetch ${shown(url)}: ${reasonOf(cause)}`
      throw new ImageError('download_failed', message, { retryable: true, cause })
    }
  } else await response.body?.cancel()
  if (size <= maxImageBytes) return Buffer.concat(chunks)
  const message = `${shown(url)} exceeds the limit of ${maxImageBytes} bytes`
  throw new ImageError('image_too_large', message)
}

function refused(url: string, status: number): ImageError {
  const code =
    status === 404 || status === 410
      ? 'image_missing'
      : status === 401 || status === 403
        ? 'access_denied'
        : 'download_failed'
  const retryable = status >= 500 || status === 429
  return new ImageError(code, `Could not fetch ${shown(url)}: HTTP status ${status}`, { retryable })
}
