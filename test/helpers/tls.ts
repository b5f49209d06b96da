import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { createServer } from 'node:tls'
import { generate } from 'selfsigned'

/** A key and certificate in PEM, generated for the test. */
export interface KeyPair {
  cert: string
  key: string
}

export interface Authority {
  /** Certificate of the authority, PEM. */
  ca: string
  /** @param address address in the certificate */
  issue(options?: { address?: string; expired?: boolean }): Promise<KeyPair>
}

const day = 24 * 60 * 60 * 1000
const keys = { keyType: 'ec', algorithm: 'sha256' } as const

/** Creates an authority that no machine trusts. */
export async function makeAuthority(): Promise<Authority> {
  const authority = await generate([{ name: 'commonName', value: 'Authority of a test' }], {
    ...keys,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return {
    ca: authority.cert,
    async issue({ address = '127.0.0.1', expired = false } = {}) {
      const made = await generate([{ name: 'commonName', value: address }], {
        ...keys,
        ca: { key: authority.private, cert: authority.cert },
        notBeforeDate: new Date(Date.now() - 2 * day),
        notAfterDate: new Date(Date.now() + (expired ? -day : day)),
        extensions: [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          { name: 'subjectAltName', altNames: [{ type: 7, ip: address }] },
        ],
      })
      return { cert: made.cert, key: made.private }
    },
  }
}

let shared: Promise<Authority> | undefined
/** Default authority of all fronts in a test file. */
export const testAuthority = (): Promise<Authority> => {
  shared ??= makeAuthority()
  return shared
}

export interface TlsFront {
  /** `https://127.0.0.1:PORT`. */
  url: string
  /** Certificate of the authority that issued the front's certificate, PEM. */
  ca: string
  /** Number of connections, including refused ones. */
  attempts(): number
  close(): Promise<void>
}

interface TlsFrontOptions {
  authority?: Authority
  pair?: KeyPair
  /** Certificate of an authority, PEM; enables client certificates, which must be issued by it. */
  clientsOf?: string
}

/**
 * Terminates TLS in front of a local server. Forwards bytes unchanged, so that signatures, which cover the Host header,
 * stay valid.
 * @param target URL of the server; it need not listen yet
 */
export async function startTlsFront(target: string, options: TlsFrontOptions = {}): Promise<TlsFront> {
  const { authority = await testAuthority(), pair = await authority.issue(), clientsOf } = options
  const { hostname: host, port } = new URL(target)
  const sockets = new Set<Socket>()
  let attempts = 0
  const server = createServer(
    { ...pair, ca: clientsOf, requestCert: clientsOf !== undefined, rejectUnauthorized: true },
    (socket) => {
      const upstream = connect({ host, port: Number(port) })
      // Either side may disconnect.
      pipeline(socket, upstream, socket, () => {})
    },
  )
  server.on('connection', (socket: Socket) => {
    attempts++
    sockets.add(socket.on('close', () => sockets.delete(socket)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: authority.ca,
    attempts: () => attempts,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
