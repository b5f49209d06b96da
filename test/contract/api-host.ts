import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { strToU8, zipSync } from 'fflate'
import openwhisk from 'openwhisk'
import { zipDate } from '../../src/cli/stock/zip-date'
import { type ApiHost, type ApiHostOptions, generousLimits, startApiHost } from '../../src/local/host/server'

export const auth = '23bc46b1-71f6-4ed5-8c54-816aa4f8c502:a-key-for-tests'

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'whisklens-host-'))

/** Bundles the container program like the build. */
export function buildRuntime(folder: string): string {
  const outfile = join(folder, 'runtime.cjs')
  buildSync({
    entryPoints: [join(__dirname, '../..', 'src/local/containers/runtime.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['sharp'],
    outfile,
  })
  return outfile
}

/** Starts a host with its own data folder, which is removed on close. */
export async function startTestHost(
  runtime: string,
  options: Partial<ApiHostOptions> = {},
): Promise<ApiHost> {
  const dataDir = options.dataDir ?? temporaryFolder()
  const host = await startApiHost({
    dataDir,
    runtime,
    port: 0,
    auth,
    namespace: 'guest',
    limits: generousLimits,
    containersPerAction: 2,
    ...options,
  })
  const close = async (): Promise<void> => {
    await host.close()
    if (!options.dataDir) rmSync(dataDir, { recursive: true })
  }
  return { ...host, close }
}

export const clientOf = ({ url }: ApiHost, key = auth) => openwhisk({ apihost: url, api_key: key })

/** A base64 zip, as clients send it. */
export const zip = (files: Record<string, string>): string =>
  Buffer.from(
    zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])), {
      mtime: zipDate,
    }),
  ).toString('base64')

/** Retries until `check` no longer throws; rethrows its last error after the timeout. */
export async function eventually<T>(check: () => T | Promise<T>, patience = 20_000): Promise<T> {
  const end = Date.now() + patience
  for (;;) {
    try {
      return await check()
    } catch (thrown) {
      if (Date.now() > end) throw thrown
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
