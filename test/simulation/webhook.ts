import { WhisklensError } from '../../src/errors'
import type { Webhook } from '../../src/webhook/send'
import type { Process } from './process'
import type { Wire } from './wire'

/** A message accepted by the receiver. */
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

/** A webhook receiver with faults. @param delivered accepted messages, in order */
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
