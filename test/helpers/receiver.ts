import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import type { KeyPair } from './tls'

/** A secret in the format of Standard Webhooks. */
export const webhookSecret = 'whsec_dGhlIHNlY3JldCBvZiB0aGUgd2ViaG9vayBvZiB0ZXN0cw=='

/** A received request and the status it was answered with. */
export interface Received {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/**
 * An HTTP server that receives webhook messages.
 * @param answers status of each answer in turn; 204 after the last one
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

/** Payload of a message verified by the Standard Webhooks library. @throws if the signature is invalid */
export const verified = ({ body, headers }: Received, secret = webhookSecret): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>)
