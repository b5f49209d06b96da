import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pRetry from 'p-retry'
import { WhisklensError } from '../../errors'
import { cacheFolder } from '../../paths'
import { sha256Of } from '../../sha256'
import { hintIfUntrusted } from '../../trust'
import { openWebAgent, reasonOf, webFetch } from '../../web-agent'

const retries = { retries: 3, minTimeout: 500, randomize: true }

/** What this very address will not answer otherwise the next time. */
class Refused extends Error {}

async function get(url: string): Promise<Buffer> {
  const dispatcher = openWebAgent()
  try {
    const response = await webFetch(url, { dispatcher })
    const refusal = `it answered ${response.status}`
    if (response.status >= 500 || response.status === 429) throw new Error(refusal)
    if (!response.ok) throw new Refused(refusal)
    return Buffer.from(await response.arrayBuffer())
  } finally {
    await dispatcher.destroy()
  }
}

/**
 * A file of the web, from the cache or fetched into it. Proxies are taken from the environment; what may be better the
 * next time is tried again.
 * @param sha256 in hex, what it has to be
 * @throws WhisklensError `download_failed` when it cannot be fetched, `wrong_checksum` when it is another
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
      hint: 'HTTPS_PROXY names a proxy, WHISKLENS_CA an authority. Or fetch the files elsewhere into a folder, and name it with --from.',
      cause,
    })
  })
  const found = sha256Of(bytes)
  if (sha256 !== undefined && found !== sha256) {
    throw new WhisklensError('wrong_checksum', `${url} is not the file it should be: its sha256 is ${found}`)
  }
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}`
  await writeFile(fresh, bytes)
  await rename(fresh, path)
  return bytes
}

/** p-retry takes a TypeError, as which fetch reports a broken connection, for a mistake in the program. */
function asError(thrown: unknown): never {
  throw thrown instanceof TypeError ? new Error(reasonOf(thrown), { cause: thrown.cause }) : thrown
}
