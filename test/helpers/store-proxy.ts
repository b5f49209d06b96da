import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Forwards a request to the store. @returns the answer, with its body unread */
export type Onward = () => Promise<IncomingMessage>

/** A proxy in front of an object store, for tests that intercept requests. */
export async function startStoreProxy(
  target: string,
  handle: (incoming: IncomingMessage, outgoing: ServerResponse, onward: Onward) => Promise<void>,
) {
  const { port } = new URL(target)
  const server = createServer((incoming, outgoing) => {
    const onward: Onward = () =>
      new Promise((resolve, reject) => {
        // Keep the Host header: the signature covers it.
        const { method, url, headers } = incoming
        const sent = request({ host: '127.0.0.1', port, method, path: url, headers }, resolve)
        sent.on('error', reject)
        incoming.pipe(sent)
      })
    handle(incoming, outgoing, onward).catch(() => incoming.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async (): Promise<void> => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Forwards the store's answer to the client. */
export function passOn(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
  answer.pipe(outgoing)
}
