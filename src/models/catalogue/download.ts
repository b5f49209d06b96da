import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pRetry from 'p-retry'
import { WhisklensError } from '../../errors'
import { cacheFolder } from '../../paths'
import { sha256Of } from '../../sha256'
import { hintIfUntrusted } from '../../trust'
import { openWebAgent, reasonOf, webFetch } from '../../web-agent'

const retries = { retries: 3, minTimeout: 500, randomize: true }

/** A refusal that a retry will not change. */
class Refused extends Error {}

async function get(url: string): Promise<Buffer> {
  const dispatcher = openWebAgent()
  try {
    const response = await webFetch(url, { dispatcher })
    const refusal = `the server responded with ${response.status}`
    if (response.status >= 500 || response.status === 429) throw new Error(refusal)
    if (!response.ok) throw new Refused(refusal)
    return Buffer.from(await response.arrayBuffer())
  } finally {
    await dispatcher.destroy()
  }
}

/**
 * Downloads a file through the cache. Uses proxies of the environment and retries transient failures.
 * @param sha256 expected, in hex
 * @throws WhisklensError `download_failed`, or `wrong_checksum`
 */
export async function download(url: string, sha256?: string): Promise<Buffer> {
  const path = join(cacheFolder(), 'downloads', sha256Of(Buffer.from(url)))
  const cached = await readFile(path).catch(() => undefined)
  if (cached && (sha256 === undefined || sha256Of(cached) === sha256)) return cached
  const shouldRetry = ({ error }: { error: Error }) =>
    !(error instanceof Refused || hintIfUntrusted(error.message))
  const bytes = await pRetry(() => get(url).catch(asError), { ...retries, shouldRetry }).catch((cause) => {
    throw new WhisklensError('download_failed', `Could not download ${url}: ${reasonOf(cause)}`, {
      retryable: true,
      hint: 'Set HTTPS_PROXY for a proxy, WHISKLENS_CA for an authority. Or download the files to a folder elsewhere and pass it with --from.',
      cause,
    })
  })
  const found = sha256Of(bytes)
  if (sha256 !== undefined && found !== sha256) {
    throw new WhisklensError('wrong_checksum', `${url} has the wrong checksum: its sha256 is ${found}`)
  }
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}`
  await writeFile(fresh, bytes)
  await rename(fresh, path)
  return bytes
}

/** Converts the TypeError with which fetch reports a broken connection: p-retry does not retry TypeErrors. */
function asError(thrown: unknown): never {
  throw thrown instanceof TypeError ? new Error(reasonOf(thrown), { cause: thrown.cause }) : thrown
}
