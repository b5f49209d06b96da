import type { IncomingHttpHeaders } from 'node:http'
import * as z from 'zod'
import { s3Error } from './s3-error'

const methods = ['GET', 'PUT', 'HEAD', 'POST', 'DELETE']

/** A CORS rule, with the element names of S3's XML. */
export interface CorsRule {
  ID?: string
  AllowedOrigin: string[]
  AllowedMethod: string[]
  AllowedHeader?: string[]
  ExposeHeader?: string[]
  MaxAgeSeconds?: number
}

const texts = z.array(z.string())
const ruleSchema = z.object({
  ID: z.string().max(255).optional(),
  AllowedOrigin: texts.min(1),
  AllowedMethod: texts.min(1),
  AllowedHeader: texts.optional(),
  ExposeHeader: texts.optional(),
  MaxAgeSeconds: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .optional(),
})
export const corsSchema = z.object({
  CORSConfiguration: z.object({ CORSRule: z.array(ruleSchema).min(1).max(100) }),
})

/** @throws HttpError as on S3 for an invalid rule */
export function checkRule({
  AllowedMethod,
  AllowedOrigin,
  AllowedHeader = [],
  ExposeHeader = [],
}: CorsRule): void {
  const method = AllowedMethod.find((name) => !methods.includes(name))
  if (method !== undefined) {
    const message = `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`
    throw s3Error('InvalidRequest', message)
  }
  for (const [element, values] of Object.entries({ AllowedOrigin, AllowedHeader })) {
    const value = values.find((text) => text.split('*').length > 2)
    if (value !== undefined)
      throw s3Error('InvalidRequest', `${element} "${value}" can not have more than one wildcard.`)
  }
  const exposed = ExposeHeader.find((text) => text.includes('*'))
  if (exposed !== undefined) {
    const message = `ExposeHeader "${exposed}" contains wildcard. We currently do not support wildcard for ExposeHeader.`
    throw s3Error('InvalidRequest', message)
  }
}

/** Matches a pattern with at most one `*`. */
function fits(pattern: string, text: string): boolean {
  const [start = '', end] = pattern.split('*')
  if (end === undefined) return text === pattern
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end)
}

/** Request of a page. */
interface CorsRequest {
  origin: string
  method: string
  /** Lower case. */
  headers: string[]
}

const isAllowed = (rule: CorsRule, { origin, method, headers }: CorsRequest): boolean =>
  rule.AllowedOrigin.some((pattern) => fits(pattern, origin)) &&
  rule.AllowedMethod.includes(method) &&
  headers.every((name) => rule.AllowedHeader?.some((pattern) => fits(pattern.toLowerCase(), name)))

/** Headers of the first rule that allows the request; undefined if none does. */
function allowing(rules: CorsRule[], requested: CorsRequest): Record<string, string> | undefined {
  const rule = rules.find((one) => isAllowed(one, requested))
  if (!rule) return undefined
  const isAny = rule.AllowedOrigin.find((pattern) => fits(pattern, requested.origin)) === '*'
  return {
    'access-control-allow-origin': isAny ? '*' : requested.origin,
    'access-control-allow-methods': rule.AllowedMethod.join(', '),
    ...(!isAny && { 'access-control-allow-credentials': 'true' }),
    ...(requested.headers.length > 0 && { 'access-control-allow-headers': requested.headers.join(', ') }),
    ...(rule.ExposeHeader?.length && { 'access-control-expose-headers': rule.ExposeHeader.join(', ') }),
    ...(rule.MaxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.MaxAgeSeconds) }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  }
}

/** CORS headers of a response; empty if no rule allows the origin. */
export const corsHeaders = (
  rules: CorsRule[] = [],
  method: string,
  { origin }: IncomingHttpHeaders,
): Record<string, string> => (origin !== undefined && allowing(rules, { origin, method, headers: [] })) || {}

/**
 * CORS headers of a preflight response.
 * @throws HttpError AccessForbidden if no rule allows the request
 */
export function preflightHeaders(
  rules: CorsRule[] | undefined,
  { origin, ...headers }: IncomingHttpHeaders,
): Record<string, string> {
  if (origin === undefined)
    throw s3Error('BadRequest', 'Insufficient information. Origin request header needed.')
  const method = headers['access-control-request-method']
  if (!method || !methods.includes(method))
    throw s3Error('BadRequest', `Invalid Access-Control-Request-Method: ${method ?? 'null'}`)
  if (!rules) throw s3Error('AccessForbidden', 'CORSResponse: CORS is not enabled for this bucket.')
  const names = (headers['access-control-request-headers'] ?? '').toLowerCase().split(',')
  const requested = { origin, method, headers: names.map((name) => name.trim()).filter(Boolean) }
  const allowed = allowing(rules, requested)
  if (!allowed) throw s3Error('AccessForbidden')
  return allowed
}
