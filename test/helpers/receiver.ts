import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import type { KeyPair } from './tls'

/** A secret as people make it. */
export const webhookSecret = 'whsec_dGhlIHNlY3JldCBvZiB0aGUgd2ViaG9vayBvZiB0ZXN0cw=='

/** A request that a receiver got, and what it answered. */
export interface Received {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/**
 * An HTTP server in the place of the one that a webhook tells.
 * @param answers the status of each answer in turn; from the last one on, 204
 */
export async function startReceiver(answers: number[] = [], tls?: KeyPair) {
  const received: Received[] = []
  const server = (tls ? createTlsServer(tls) : createServer()).on('request', async (request, response) => {
    const body = await text(request)
    const status = answers[received.length] ?? 204
    received.push({ status, headers: request.headers, body })
    const location = `${request.url}/elsewhere`
    response.writeHead(status, status > 299 && status < 400 ? { location } : {}).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/hooks/path-as-a-key`,
    received,
    accepted: () => received.filter(({ status }) => status < 300),
    async close(): Promise<void> {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What a message says, once the library of Standard Webhooks has verified it. @throws where it is not genuine */
export const verified = ({ body, headers }: Received, secret = webhookSecret): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>)
