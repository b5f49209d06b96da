import type * as z from 'zod'
import { code, json, table } from './markdown'

/*
 * Tables of the fields of a Zod schema. Every field needs a description.
 */

type Schema = z.core.$ZodType
type Def = z.core.$ZodTypes['_zod']['def']

const defOf = (schema: Schema): Def => (schema as z.core.$ZodTypes)._zod.def

/** Metadata of a schema, from `.meta()`. */
interface Meta {
  description?: string
  /** Replaces the type derived from the schema. */
  typeName?: string
  /** Replaces the default derived from the schema. */
  defaultText?: string
}

const metaOf = (schema: Schema): Meta => (schema as z.ZodType).meta() ?? {}

/** A schema and the schemas it wraps, outermost first. */
function* layers(schema: Schema): Generator<Schema> {
  yield schema
  const def = defOf(schema)
  if ('innerType' in def) yield* layers(def.innerType)
  else if (def.type === 'pipe') yield* layers(defOf(def.in).type === 'transform' ? def.out : def.in)
}

const innermost = (schema: Schema): Schema => [...layers(schema)].at(-1) as Schema

const metaIn = (schema: Schema, name: keyof Meta): string | undefined =>
  [...layers(schema)].map((layer) => metaOf(layer)[name]).find((value) => value !== undefined)

/** @throws Error if the field has no description */
function meaningOf(name: string, schema: Schema): string {
  const description = metaIn(schema, 'description')
  if (description) return description
  throw new Error(`The field "${name}" has no description: add .describe() to its schema`)
}

/** Links to the sections that describe a schema. */
export type Links = Map<Schema, string>

const plural = (noun: string): string => (/^(object|number|whole number)$/.test(noun) ? `${noun}s` : noun)

const unique = (names: string[]): string[] => [...new Set(names)]

function typeName(schema: Schema, links: Links): string {
  const named = links.get(innermost(schema)) ?? metaIn(schema, 'typeName')
  if (named) return named
  const def = defOf(innermost(schema))
  switch (def.type) {
    case 'literal':
      return def.values.map((value) => code(String(value))).join(', ')
    case 'enum':
      return Object.values(def.entries)
        .map((value) => code(String(value)))
        .join(', ')
    case 'string':
      return 'text'
    case 'number':
      return (innermost(schema) as z.ZodNumber).isInt ? 'whole number' : 'number'
    case 'array':
      return `list of ${plural(typeName(def.element, links))}`
    case 'tuple':
      return `list of ${def.items.length} ${unique(def.items.map((item) => typeName(item, links)))
        .map(plural)
        .join(' or ')}`
    case 'union':
      return unique(def.options.map((option) => typeName(option, links))).join(' or ')
    case 'record':
      return 'object'
    case 'custom':
      return 'file'
    default:
      return def.type
  }
}

const hasLayer = (schema: Schema, type: Def['type']): boolean =>
  [...layers(schema)].some((layer) => defOf(layer).type === type)

function defaultOf(schema: Schema): string | undefined {
  const named = metaIn(schema, 'defaultText')
  if (named) return named
  for (const layer of layers(schema)) {
    const def = defOf(layer)
    if (def.type === 'default') return code(JSON.stringify(def.defaultValue))
  }
  return undefined
}

/** A row of a table of fields. */
export interface Field {
  name: string
  type: string
  isOptional: boolean
  default?: string
  meaning: string
}

/** The fields of an object, nested ones by path: `labels[].label`. @throws Error if a field has no description */
export function fieldsOf(schema: z.ZodObject, links: Links = new Map(), path = ''): Field[] {
  return Object.entries(schema.shape).flatMap(([key, value]) => {
    const name = path + key
    const field = {
      name,
      type: typeName(value, links) + (hasLayer(value, 'nullable') ? ' or `null`' : ''),
      isOptional: hasLayer(value, 'optional'),
      default: defaultOf(value),
      meaning: meaningOf(name, value),
    }
    const inner = innermost(value)
    const def = defOf(inner)
    if (def.type === 'object') return [field, ...fieldsOf(inner as z.ZodObject, links, `${name}.`)]
    if (def.type !== 'array') return [field]
    const element = innermost(def.element)
    const isObject = defOf(element).type === 'object' && !links.has(element)
    return isObject ? [field, ...fieldsOf(element as z.ZodObject, links, `${name}[].`)] : [field]
  })
}

/** A table of request parameters. */
export const parameterTable = (schema: z.ZodObject, links?: Links): string =>
  table(
    ['parameter', 'type', 'default', 'meaning'],
    fieldsOf(schema, links).map((field) => [
      code(field.name),
      field.type,
      field.default ?? (field.isOptional ? '' : 'required'),
      field.meaning,
    ]),
  )

/** A table of the fields of an answer or a document. */
export const fieldTable = (schema: z.ZodObject, links?: Links): string =>
  table(
    ['field', 'type', 'meaning'],
    fieldsOf(schema, links).map(({ name, type, isOptional, meaning }) => [
      code(name),
      isOptional ? `${type}, optional` : type,
      meaning,
    ]),
  )

/** An example as JSON. @throws ZodError if it does not match the schema */
export function example<T>(schema: z.ZodType<T>, value: z.input<z.ZodType<T>>): string {
  schema.parse(value)
  return json(value)
}
