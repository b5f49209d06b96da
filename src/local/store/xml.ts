import { XMLParser } from 'fast-xml-parser'
import type * as z from 'zod'
import { s3Error } from './s3-error'

export type XmlValue = string | number | boolean | undefined | XmlValue[] | { [name: string]: XmlValue }

// S3 writes control characters as references although XML 1.0 does not allow them; and XML readers turn a raw carriage return
// into a line feed.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the regex matches them
const special = /[&<>"'\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

const escaped = (text: string): string =>
  text.replace(special, (character) => named[character] ?? `&#x${character.charCodeAt(0).toString(16)};`)

function element(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map((item) => element(name, item)).join('')
  const inner = typeof value === 'object' ? elements(value) : escaped(String(value))
  return `<${name}>${inner}</${name}>`
}

const elements = (values: { [name: string]: XmlValue }): string =>
  Object.entries(values)
    .map(([name, value]) => element(name, value))
    .join('')

/** Builds an XML document: arrays become repeated elements, undefined values are left out. */
export function toXml(root: string, values: { [name: string]: XmlValue } | string): string {
  // As on S3, every document has the namespace, except errors.
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  const inner = typeof values === 'string' ? escaped(values) : elements(values)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${inner}</${root}>`
}

const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescaped = (text: string): string =>
  text.replace(/&(?:#x([\da-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi, (_, hex, decimal, name) =>
    name
      ? (characters[name] ?? '')
      : String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number.parseInt(decimal, 10)),
  )

const repeated = [
  'Object',
  'Part',
  'Tag',
  'CORSRule',
  'AllowedOrigin',
  'AllowedMethod',
  'AllowedHeader',
  'ExposeHeader',
]

// The parser's own entity handling drops references to control characters, which may occur in keys.
const parser = new XMLParser({
  ignoreAttributes: true,
  isArray: (name) => repeated.includes(name),
  parseTagValue: false,
  processEntities: false,
  removeNSPrefix: true,
  tagValueProcessor: (_, text) => unescaped(text),
  trimValues: false,
})

/** Parses an XML request body. */
export function fromXml<T>(text: string, schema: z.ZodType<T>): T {
  let parsed: unknown
  try {
    parsed = parser.parse(text)
  } catch {
    throw s3Error('MalformedXML')
  }
  const checked = schema.safeParse(parsed)
  if (!checked.success) throw s3Error('MalformedXML')
  return checked.data
}
