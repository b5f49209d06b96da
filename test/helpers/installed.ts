import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Path of a program on PATH or in the `go install` folder; undefined if not installed. */
export const installed = (program: string): string | undefined =>
  [
    ...(process.env.PATH ?? '').split(delimiter),
    ...(process.env.GOPATH ?? join(homedir(), 'go')).split(delimiter).map((folder) => join(folder, 'bin')),
  ]
    .map((folder) => join(folder, program))
    .find(existsSync)

/** A free port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Installs a Go module in `npm run check:full` if Go is available; takes minutes. @returns path of the program */
export function installInFull(module: string, program: string): string | undefined {
  if (!process.env.WHISKLENS_FULL) return undefined
  try {
    execFileSync('go', ['install', module], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return installed(program)
}
