import { WhisklensError } from '../../src/errors'
import type { Webhook } from '../../src/webhook/send'
import type { Process } from './process'
import type { Wire } from './wire'

/** A message that the receiver has accepted. */
export interface Delivered {
  id: string
  body: string
}

const faults = [
  'platform refused',
  'platform lost request',
  'platform lost answer',
  'platform landed late',
] as const

const failed = () => new WhisklensError('webhook_failed', 'The receiver failed', { retryable: true })

/** The receiver of a webhook, which fails as anything else. @param delivered what it has accepted, in order */
export const webhookOf =
  (wire: Wire, delivered: Delivered[]) =>
  (process: Process): Webhook => ({
    send: ({ id, body }) =>
      wire.request({
        process,
        name: `webhook ${id}`,
        faults,
        effect: () => void delivered.push({ id, body }),
        broken: failed,
        refused: failed,
      }),
  })
