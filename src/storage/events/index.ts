import { InvalidInputError } from '../../errors'
import { backblazeB2, cloudflareR2, gcsEventarc, gcsPubSub, ibmCos, oracle } from './clouds'
import { envelopeNames, indexed, openEnvelope } from './envelopes'
import { eventBridge, s3Record, s3Test } from './s3'
import type { Fields, ImageEvent, Shape } from './shape'

export { toStructured } from './envelopes'
export type { ImageEvent } from './shape'

/** IBM's shape comes last: it has no distinguishing field. */
const shapes = [
  s3Record,
  s3Test,
  eventBridge,
  cloudflareR2,
  backblazeB2,
  gcsEventarc,
  gcsPubSub,
  oracle,
  ibmCos,
]

/** Sent by AWS SNS when a subscription ends. */
const isUnsubscribe = ({ Type }: Fields): boolean => Type === 'UnsubscribeConfirmation'

/** A part of a message that could not be parsed. */
export interface Refused {
  /** Such as `Records[1]`; empty for the whole message. */
  at: string
  reason: string
}

/** The content of a notification. */
export interface Notification {
  events: ImageEvent[]
  refused: Refused[]
}

/** S3 in SNS in SQS takes seven levels. */
const maxDepth = 24

/** Parses JSON, possibly in base64: OpenWhisk encodes bodies of unknown content types. */
export function parseText(text: string): unknown {
  for (const json of [text, Buffer.from(text, 'base64').toString('utf8')]) {
    try {
      return JSON.parse(json.replace(/^\uFEFF/, ''))
    } catch {}
  }
  return undefined
}

/**
 * Parses the images of a notification. Unknown or invalid parts are reported without dropping the rest. Messages that
 * are not about created or removed objects (tests, tag changes) yield none.
 * @throws InvalidInputError when no part can be parsed; the hint lists the known shapes
 */
export function parseEvent(message: unknown): Notification {
  const found = [...read(message, '', maxDepth)]
  const events = found.flatMap((one) => ('reason' in one ? [] : [one]))
  const refused = found.flatMap((one) => ('reason' in one ? [one] : []))
  const [first] = refused
  if (first && refused.length === found.length) throw notUnderstood(first)
  return { events, refused }
}

const notUnderstood = ({ at, reason }: Refused): InvalidInputError =>
  new InvalidInputError('event_unknown', `The notification cannot be parsed: ${at || 'it'} ${reason}`, {
    hint: `Known shapes: ${shapes.map(({ name }) => name).join(', ')}; also inside ${envelopeNames.join(', ')}.`,
  })

function* read(message: unknown, at: string, depth: number): Generator<ImageEvent | Refused> {
  if (depth === 0) return yield { at, reason: 'is nested too deeply' }
  if (Array.isArray(message)) return yield* readAll(indexed(message), at, depth)
  const parsed = typeof message === 'string' ? parseText(message) : undefined
  if (parsed) return yield* read(parsed, at, depth - 1)
  if (typeof message !== 'object' || message === null) return yield { at, reason: 'is not a JSON object' }
  const fields = message as Fields
  if (isUnsubscribe(fields)) return
  const shape = shapes.find(({ matches }) => matches(fields))
  if (shape) return yield* readAs(shape, fields, at)
  const inner = openEnvelope(fields)
  if (inner) return yield* readAll(inner, at, depth)
  yield { at, reason: `has no known shape: ${describe(fields)}` }
}

function* readAll(
  inner: [at: string, message: unknown][],
  at: string,
  depth: number,
): Generator<ImageEvent | Refused> {
  for (const [where, one] of inner) {
    const separator = at && !where.startsWith('[') ? '.' : ''
    yield* read(one, at + separator + where, depth - 1)
  }
}

function* readAs(
  { name, change, image }: Shape,
  fields: Fields,
  at: string,
): Generator<ImageEvent | Refused> {
  const changed = change(fields)
  if (!changed) return
  const { data, error } = image.safeParse(fields)
  if (data) return yield { ...data, removed: changed === 'removed' }
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  yield { at, reason: `is not a valid ${name}: ${problems.join('; ')}` }
}

/**
 * Describes a message by field names only: values may be secret. A form field's name may be a whole message, so it is
 * skipped.
 */
function describe(fields: Fields): string {
  const names = Object.keys(fields)
  if (names.length === 0) return 'it is empty'
  const words = names.filter((name) => /^[\w.:-]{1,40}$/.test(name))
  if (words.length === 0)
    return 'it has no fields (was JSON sent as a form? Its content type is application/json)'
  return `its fields are ${words.slice(0, 8).join(', ')}${words.length > 8 ? ' and others' : ''}`
}
