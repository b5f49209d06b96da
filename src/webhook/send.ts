import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Settings } from '../config'
import { messageOf, WhisklensError } from '../errors'
import { agentsFor } from '../trust'
import { type Message, signedHeaders } from './sign'

/** The receiver of messages about ended batches. */
export interface Webhook {
  /**
   * Sends a message once.
   * @param at time of the signature, milliseconds since the epoch
   * @throws WhisklensError `webhook_failed` unless the receiver responds with 2xx
   */
  send(message: Message, at: number): Promise<void>
}

/** Timeout of an attempt, milliseconds. */
const attemptTimeout = 10_000

const agentOf = agentsFor({})

/** Opens the webhook of a deployment; undefined if none is configured. */
export function openWebhook({
  webhookUrl,
  webhookSecret,
  ca,
}: Pick<Settings, 'webhookUrl' | 'webhookSecret' | 'ca'>): Webhook | undefined {
  if (!webhookUrl || !webhookSecret) return undefined
  const url = new URL(webhookUrl)
  return {
    send: async (message, at) => {
      const status = await post(url, message.body, signedHeaders(message, webhookSecret, at), ca)
      // Redirects count as failures: messages go only to the configured receiver.
      if (status < 200 || status > 299) throw failed(url, `it answered with status ${status}`)
    },
  }
}

function post(url: URL, body: string, signed: Record<string, string>, ca?: string): Promise<number> {
  const isPlain = url.protocol === 'http:'
  const headers = {
    ...signed,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'whisklens',
  }
  const options = {
    method: 'POST',
    headers,
    agent: isPlain ? undefined : agentOf({ ca }),
    signal: AbortSignal.timeout(attemptTimeout),
  }
  return new Promise((resolve, reject) => {
    const request = (isPlain ? httpRequest : httpsRequest)(url, options, (response) => {
      resolve(response.statusCode ?? 0)
      // Only the status is of interest.
      response.destroy()
    })
    request.on('error', (thrown) => reject(failed(url, messageOf(thrown), thrown))).end(body)
  })
}

/** Names only the origin: the rest of the URL may be secret. */
const failed = ({ origin }: URL, why: string, cause?: unknown): WhisklensError =>
  new WhisklensError('webhook_failed', `The webhook at ${origin} did not accept the message: ${why}`, {
    cause,
  })
