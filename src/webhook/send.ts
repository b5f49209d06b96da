import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Settings } from '../config'
import { messageOf, WhisklensError } from '../errors'
import { agentsFor } from '../trust'
import { type Message, signedHeaders } from './sign'

/** The receiver of messages about batches that have ended. */
export interface Webhook {
  /**
   * Sends a message once.
   * @param at the time to sign it with, milliseconds since the epoch
   * @throws WhisklensError `webhook_failed` unless the receiver answers with 2xx
   */
  send(message: Message, at: number): Promise<void>
}

/** How long one attempt may take, milliseconds. */
const attemptTime = 10_000

const agentOf = agentsFor({})

/** The webhook of a deployment; undefined where none is configured. */
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
      // Redirects are failures as well: the receiver is the one that the deployment names.
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
    signal: AbortSignal.timeout(attemptTime),
  }
  return new Promise((resolve, reject) => {
    const request = (isPlain ? httpRequest : httpsRequest)(url, options, (response) => {
      resolve(response.statusCode ?? 0)
      // Nothing of an answer but its status is read.
      response.destroy()
    })
    request.on('error', (thrown) => reject(failed(url, messageOf(thrown), thrown))).end(body)
  })
}

/** Names the origin alone: the rest of the URL may be as secret as a key. */
const failed = ({ origin }: URL, why: string, cause?: unknown): WhisklensError =>
  new WhisklensError('webhook_failed', `The webhook at ${origin} did not accept the message: ${why}`, {
    cause,
  })
