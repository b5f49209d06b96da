import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { eventually } from './local-mode'
import { needs } from './needs'

/** Versity S3 Gateway, a real S3 server: `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`. */
export const versityBinary: string | undefined = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...(process.env.GOPATH ?? join(homedir(), 'go')).split(delimiter).map((folder) => join(folder, 'bin')),
]
  .map((folder) => join(folder, 'versitygw'))
  .find(existsSync)

/** `describe` of tests that need it. */
export const withVersity = needs(!versityBinary && 'Versity S3 Gateway is not installed').describe

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const credentials = { accessKeyId: 'access', secretAccessKey: 'a-secret-for-tests' }

/**
 * Starts a gateway on loopback.
 * @param over the folder of another gateway, which then has to be closed after this one
 */
export async function startVersity({ webhook, over }: { webhook?: string; over?: string } = {}) {
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
  const child: ChildProcess = spawn(versityBinary ?? '', [...flags, 'posix', folder], {
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
    },
  }
}
