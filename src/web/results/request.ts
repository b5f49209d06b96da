import * as z from 'zod'
import type { RowRange } from '../../batch/reports/index-rows'
import { querySchema } from '../../batch/reports/query'
import { isGiven } from '../../batch/state/filters'
import { InvalidInputError } from '../../errors'
import { batchIdSchema } from '../../schema'
import { cursorSchema } from './cursor'

const formats = ['json', 'jsonl', 'csv', 'parquet', 'html', 'openmetrics', 'index'] as const
export type Format = (typeof formats)[number]

export const formatSchema = z
  .enum(formats)
  .describe('Format of the answer. Unless given, the header `Accept` decides; JSON where that names none.')

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

export const requestSchema = querySchema.extend({
  /** The default depends on the format. */
  limit: querySchema.shape.limit
    .unwrap()
    .optional()
    .describe(
      'At most so many records in the answer, 1 to 1000. Unless given, 100 in JSON, and all in other formats.',
    )
    .meta({ typeName: 'whole number' }),
  batch: batchIdSchema
    .optional()
    .describe('Id of the batch. Unless given, the answer lists the 50 newest batches.'),
  after: cursorSchema
    .optional()
    .describe('`next` of the answer before, or what its `Link` header has: the records that follow.')
    .meta({ typeName: 'text' }),
  index: z
    .string()
    .optional()
    .describe('Id of an [index](records.md#index), as an answer with `format=index` has it.'),
  rows: rowsSchema
    .optional()
    .describe(
      'Rows of that index, such as `0-99,250`: the records to answer with. Needs `batch` and `index`.',
    )
    .meta({ typeName: 'text' }),
  urls: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true` adds a link to each image, in JSON and JSON Lines. It is valid for one to two hours.'),
  labels: z
    .enum(['model'])
    .optional()
    .describe('`model` for labels as the model names them, without `labels.json`.'),
  raw: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true` for CSV with unchanged text and without a byte order mark, for programs.'),
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
