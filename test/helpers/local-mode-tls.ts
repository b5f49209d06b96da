import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { type RunningLocal, startLocalMode } from './local-mode'
import { startTlsFront, type TlsFront } from './tls'

export interface LocalByTls {
  local: RunningLocal
  api: TlsFront
  store: TlsFront
  stop(): Promise<void>
}

/**
 * Local mode with TLS in front of its API host and store. Actions call back by TLS: those it deploys trust the authority;
 * actions deployed by tests must be given it.
 */
export async function startLocalModeByTls(dataDir: string, ...args: string[]): Promise<LocalByTls> {
  // Actions call back before the local mode prints its address.
  const port = await freePorts()
  const api = await startTlsFront(`http://127.0.0.1:${port}`)
  const closers = [api.close]
  const stop = async () => {
    for (const close of closers.reverse()) await close()
  }
  const saved = process.env.WHISKLENS_CA
  process.env.WHISKLENS_CA = api.ca
  try {
    const local = await startLocalMode(dataDir, '--port', String(port), '--api-url', api.url, ...args)
    closers.push(async () => void (await local.stop()))
    const store = await startTlsFront(local.connection.s3.endpoint)
    closers.push(store.close)
    return { local, api, store, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  } finally {
    if (saved === undefined) delete process.env.WHISKLENS_CA
    else process.env.WHISKLENS_CA = saved
  }
}

const listen = async (port: number): Promise<Server> => {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** @returns a free port whose successor is free, too */
export async function freePorts(): Promise<number> {
  for (;;) {
    const first = await listen(0)
    const { port } = first.address() as { port: number }
    const second = await listen(port + 1).catch(() => undefined)
    first.close()
    second?.close()
    if (second) return port
  }
}
