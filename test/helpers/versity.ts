import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, installed } from './installed'
import { eventually } from './local-mode'
import { needs } from './needs'

/** Versity S3 Gateway, a real S3 server: `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`. */
export const versityBinary = installed('versitygw')

/** `describe` of tests that need it. */
export const withVersity = needs(!versityBinary && 'Versity S3 Gateway is not installed').describe

const credentials = { accessKeyId: 'access', secretAccessKey: 'a-secret-for-tests' }

/**
 * Starts a gateway on loopback.
 * @param over the folder of another gateway, which then has to be closed after this one
 * @param hasVersions buckets may have versioning
 */
export async function startVersity({
  webhook,
  over,
  hasVersions = false,
}: {
  webhook?: string
  over?: string
  hasVersions?: boolean
} = {}) {
  const folder = over ?? (await mkdtemp(join(tmpdir(), 'whisklens-versity-')))
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const flags = [
    '--quiet',
    '--port',
    `127.0.0.1:${port}`,
    ...(webhook ? ['--event-webhook-url', webhook] : []),
  ]
  const env = {
    PATH: process.env.PATH,
    ROOT_ACCESS_KEY: credentials.accessKeyId,
    ROOT_SECRET_KEY: credentials.secretAccessKey,
  }
  const versions = `${folder}-versions`
  if (hasVersions) await mkdir(versions)
  const posix = ['posix', ...(hasVersions ? ['--versioning-dir', versions] : []), folder]
  const child: ChildProcess = spawn(versityBinary ?? '', [...flags, ...posix], {
    env,
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  await eventually(
    () =>
      fetch(endpoint).then(
        () => true,
        () => false,
      ),
    'the gateway',
  )
  return {
    endpoint,
    region: 'us-east-1',
    ...credentials,
    folder,
    async close(): Promise<void> {
      child.kill()
      await exited
      if (!over) await rm(folder, { recursive: true, force: true })
      await rm(versions, { recursive: true, force: true })
    },
  }
}
