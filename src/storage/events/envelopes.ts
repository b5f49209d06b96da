import type { Fields } from './shape'

/** A nested message and its path. */
type Inner = [at: string, message: unknown]

/** A kind of message that contains others, as JSON or text. */
interface Envelope {
  /** Its name in errors. */
  name: string
  /** The nested messages, or undefined for another kind. */
  open(message: Fields): Inner[] | undefined
}

const field = (at: string, message: unknown): Inner[] | undefined =>
  message === undefined ? undefined : [[at, message]]

/** The messages of an array. */
export const indexed = (messages: unknown[], at = ''): Inner[] =>
  messages.map((message, index): Inner => [`${at}[${index}]`, message])

const list =
  (at: string) =>
  (message: Fields): Inner[] | undefined => {
    const messages = message[at]
    return Array.isArray(messages) ? indexed(messages, at) : undefined
  }

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const envelopes: Envelope[] = [
  { name: 'Records', open: list('Records') },
  { name: 'events', open: list('events') },
  { name: 'a batch of queue messages', open: list('messages') },
  {
    name: 'SNS',
    open: ({ Type, Message }) => (Type === 'Notification' ? field('Message', Message) : undefined),
  },
  { name: 'SNS for Lambda', open: ({ Sns }) => field('Sns', Sns) },
  {
    name: 'SQS',
    open: ({ messageId, id, body }) => ((messageId ?? id) === undefined ? undefined : field('body', body)),
  },
  {
    name: 'Pub/Sub',
    open: ({ message }) => (isFields(message) ? field('message.data', message.data) : undefined),
  },
  {
    name: 'CloudEvents',
    open: ({ specversion, data, data_base64 }) =>
      specversion === undefined ? undefined : (field('data', data) ?? field('data_base64', data_base64)),
  },
]

export const envelopeNames = envelopes.map(({ name }) => name)

/** The messages in an envelope, or undefined if it is none. */
export function openEnvelope(message: Fields): Inner[] | undefined {
  for (const { open } of envelopes) {
    const inner = open(message)
    if (inner) return inner
  }
  return undefined
}

/**
 * Restores the structured form of CloudEvents: in the binary form, used by Eventarc, attributes are headers and the
 * body is data.
 * @returns the message, unchanged if it has no attributes
 */
export function toStructured(message: unknown, headers: Record<string, string>): unknown {
  const type = headers['ce-type']
  return type === undefined
    ? message
    : { specversion: headers['ce-specversion'] ?? '1.0', type, data: message }
}
