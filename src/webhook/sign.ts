import { createHmac } from 'node:crypto'

/** A message, the same in every attempt. */
export interface Message {
  /** Lets the receiver recognize repetitions. */
  id: string
  /** JSON. */
  body: string
}

/**
 * The headers of a message as defined by Standard Webhooks 1.0, whose libraries verify them.
 * @param secret base64, with or without the prefix `whsec_`
 * @param at time of sending, milliseconds since the epoch
 */
export function signedHeaders({ id, body }: Message, secret: string, at: number): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const timestamp = String(Math.floor(at / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
