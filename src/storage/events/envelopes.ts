import type { Fields } from './shape'

/** A message inside another one, and where it is. */
type Inner = [at: string, message: unknown]

/** A kind of message that carries others, whole or as text. */
interface Envelope {
  /** As errors name it. */
  name: string
  /** The messages inside, or undefined where it is not of this kind. */
  open(message: Fields): Inner[] | undefined
}

const field = (at: string, message: unknown): Inner[] | undefined =>
  message === undefined ? undefined : [[at, message]]

/** The messages of a list. */
export const listed = (messages: unknown[], at = ''): Inner[] =>
  messages.map((message, index): Inner => [`${at}[${index}]`, message])

const list =
  (at: string) =>
  (message: Fields): Inner[] | undefined => {
    const messages = message[at]
    return Array.isArray(messages) ? listed(messages, at) : undefined
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

/** The messages that an envelope carries, or undefined where the message is none. */
export function openEnvelope(message: Fields): Inner[] | undefined {
  for (const { open } of envelopes) {
    const inner = open(message)
    if (inner) return inner
  }
  return undefined
}

/**
 * In the binary form of CloudEvents, which Eventarc uses, the attributes are headers and the body is the data.
 * @returns the message in the structured form, or as it is
 */
export function withAttributes(message: unknown, headers: Record<string, string>): unknown {
  const type = headers['ce-type']
  return type === undefined
    ? message
    : { specversion: headers['ce-specversion'] ?? '1.0', type, data: message }
}
