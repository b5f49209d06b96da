import * as z from 'zod'
import type { RowRange } from '../../batch/reports/index-rows'
import { querySchema } from '../../batch/reports/query'
import { isGiven } from '../../batch/state/filters'
import { InvalidInputError } from '../../errors'
import { batchIdSchema } from '../../schema'
import { cursorSchema } from './cursor'

const formats = ['json', 'jsonl', 'csv', 'parquet', 'html', 'openmetrics', 'index'] as const
export type Format = (typeof formats)[number]

const formatSchema = z.enum(formats)

const rows = 'expected rows such as 0-99,250'

/** Row numbers and inclusive ranges. */
const rowsSchema = z
  .string()
  .regex(/^\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*$/, rows)
  .transform((text) =>
    text.split(',').map((range): RowRange => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return [first, last]
    }),
  )
  .refine((ranges) => ranges.every(([first, last]) => first <= last), rows)

const requestSchema = querySchema.extend({
  /** The default depends on the format. */
  limit: querySchema.shape.limit.unwrap().optional(),
  batch: batchIdSchema.optional(),
  after: cursorSchema.optional(),
  /** Id of an index, and rows in it. */
  index: z.string().optional(),
  rows: rowsSchema.optional(),
  /** Adds the URL of its image to each record. */
  urls: z.enum(['true', 'false']).optional(),
  /** `model`: labels as named by the model, ignoring labels.json. */
  labels: z.enum(['model']).optional(),
  /** CSV for programs instead of spreadsheets. */
  raw: z.enum(['true', 'false']).optional(),
})

/** Parameters that make the answer differ from the batch's own files. */
const changing = [
  'label',
  'labelIs',
  'search',
  'status',
  'code',
  'prefix',
  'minProbability',
  'maxProbability',
  'takenSince',
  'takenUntil',
  'camera',
  'limit',
  'after',
  'rows',
  'urls',
]

export type ResultsRequest = z.infer<typeof requestSchema> & {
  /** No selection and no additions: all records as stored. */
  whole: boolean
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'format'}: ${message}`)
  throw badRequest(problems.join('; '))
}

const badRequest = (problem: string): InvalidInputError =>
  new InvalidInputError('bad_parameter', `The request is not valid: ${problem}`)

/**
 * Format of an answer: from the parameter, else from the Accept header; browsers accept HTML.
 * @throws InvalidInputError for an unknown format
 */
export function formatOf(format: unknown, accept = ''): Format {
  if (isPage(format, accept)) return 'html'
  if (isGiven(format)) return parse(formatSchema, format)
  if (accept.includes('application/openmetrics-text')) return 'openmetrics'
  if (accept.includes('application/x-ndjson')) return 'jsonl'
  return accept.includes('text/csv') ? 'csv' : 'json'
}

/** Whether the page is requested, even if the request is otherwise invalid. */
export const isPage = (format: unknown, accept = ''): boolean =>
  isGiven(format) ? format === 'html' : accept.includes('text/html')

/**
 * Parses a query; ignores unknown parameters.
 * @throws InvalidInputError for an invalid value
 */
export function parseResultsRequest(params: Record<string, unknown>): ResultsRequest {
  const given = Object.entries(params).filter(([, value]) => isGiven(value))
  const request = parse(requestSchema, Object.fromEntries(given))
  const { batch, index, rows, limit, after } = request
  if (rows && (batch === undefined || index === undefined || limit !== undefined || after !== undefined))
    throw badRequest('rows requires batch and index, and excludes limit and after')
  return { ...request, whole: !changing.some((name) => isGiven(params[name])) }
}

/** Query of the next page, as a link without the token. */
export function nextQuery(request: ResultsRequest, format: Format, next: string): string {
  const { whole: _, ...asked } = request
  const query = Object.entries({ ...asked, format, after: next }).filter(([, value]) => value !== undefined)
  const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
  return new URLSearchParams(query.map(([name, value]): [string, string] => [name, text(value)])).toString()
}
