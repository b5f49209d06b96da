import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Sends a request on to the store. @returns its answer, whose body has not been read */
export type Onward = () => Promise<IncomingMessage>

/** A proxy before an object store, for tests that come between the two. */
export async function startStoreProxy(
  target: string,
  handle: (incoming: IncomingMessage, outgoing: ServerResponse, onward: Onward) => Promise<void>,
) {
  const { port } = new URL(target)
  const server = createServer((incoming, outgoing) => {
    const onward: Onward = () =>
      new Promise((resolve, reject) => {
        // The signature covers the Host header, so it goes through as it came.
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

/** Hands the store's answer to whoever asked. */
export function passOn(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
  answer.pipe(outgoing)
}
