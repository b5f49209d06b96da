import { createHmac } from 'node:crypto'

/** One message to the receiver, the same at each attempt. */
export interface Message {
  /** By which a receiver tells a repetition. */
  id: string
  /** JSON. */
  body: string
}

/**
 * The headers of a message, as Standard Webhooks 1.0 has them: a receiver verifies them with that project's libraries.
 * @param secret base64, with or without the prefix `whsec_`
 * @param at when it is sent, milliseconds since the epoch
 */
export function signedHeaders({ id, body }: Message, secret: string, at: number): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const timestamp = String(Math.floor(at / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
