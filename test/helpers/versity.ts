import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, installed } from './installed'
import { eventually } from './local-mode'
import { needs } from './needs'

/** Versity S3 Gateway, a real S3 server: `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`. */
export const versityBinary = installed('versitygw')

/** `describe` for tests that need the gateway. */
export const withVersity = needs(!versityBinary && 'Versity S3 Gateway is not installed').describe

const credentials = { accessKeyId: 'access', secretAccessKey: 'a-secret-for-tests' }

/** Runs an admin command of the gateway: users (if it `hasUsers`) and bucket owners. */
export async function versityAdmin(endpoint: string, ...command: string[]): Promise<void> {
  const { accessKeyId, secretAccessKey } = credentials
  const owner = ['--access', accessKeyId, '--secret', secretAccessKey, '--endpoint-url', endpoint]
  await promisify(execFile)(versityBinary ?? '', ['admin', ...owner, ...command])
}

/**
 * Starts a gateway on loopback.
 * @param over folder of another gateway, which must be closed after this one
 * @param hasVersions buckets may have versioning enabled
 * @param hasUsers allow keys other than the owner's
 */
export async function startVersity({
  webhook,
  over,
  hasVersions = false,
  hasUsers = false,
}: {
  webhook?: string
  over?: string
  hasVersions?: boolean
  hasUsers?: boolean
} = {}) {
  const folder = over ?? (await mkdtemp(join(tmpdir(), 'whisklens-versity-')))
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const users = `${folder}-users`
  if (hasUsers) await mkdir(users)
  const flags = [
    '--quiet',
    '--port',
    `127.0.0.1:${port}`,
    ...(webhook ? ['--event-webhook-url', webhook] : []),
    // Without the cache, changes of a key apply immediately.
    ...(hasUsers ? ['--iam-dir', users, '--iam-cache-disable'] : []),
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
      for (const beside of [versions, users]) await rm(beside, { recursive: true, force: true })
    },
  }
}
