import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Faults {
  /** Share of requests that are answered with 503 and do nothing, 0–1. */
  unavailable: number
  /** Share of requests whose connection is cut, before or after the store has seen them, 0–1. */
  cut: number
}

/** A proxy before an object store that fails now and then, as stores under load do. */
export async function startChaosProxy(target: string, faults: Faults, onRequest: (line: string) => void) {
  const random = Math.random
  const { port } = new URL(target)
  const counts = { requests: 0, unavailable: 0, cut: 0 }
  const server = createServer((incoming, outgoing) => {
    counts.requests++
    onRequest(`${incoming.method} ${incoming.url}`)
    const fate = random()
    if (fate < faults.unavailable) {
      counts.unavailable++
      incoming.resume()
      outgoing.writeHead(503, { 'content-type': 'application/xml' })
      outgoing.end('<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>')
      return
    }
    const cut = fate < faults.unavailable + faults.cut
    if (cut) counts.cut++
    if (cut && random() < 0.5) {
      incoming.socket.destroy()
      return
    }
    // The signature covers the Host header, so it goes through as it came.
    const { method, url, headers } = incoming
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      if (cut) {
        answer.resume()
        answer.on('end', () => incoming.socket.destroy())
        return
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    close: async (): Promise<void> => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
