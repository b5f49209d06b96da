import * as z from 'zod'
import { InvalidInputError } from '../../errors'

/** IAM accepts a single value in place of a list. */
const oneOrMore = <T>(schema: z.ZodType<T>) =>
  z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(schema).min(1))

const arn = /^(\*|arn:aws:(s3:::(?!\/)|kms:).+)$/s

// Strict: ignoring an unsupported element, such as Condition or NotAction, would change the meaning of a statement.
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore(
    z
      .string()
      .regex(/^(\*|[a-z\d-]+:[a-z\d*?]+)$/i, 'expected a service and an action, such as s3:GetObject'),
  ),
  Resource: oneOrMore(
    z
      .string()
      .regex(arn, 'expected *, or an ARN of S3 or KMS')
      .refine((resource) => !resource.includes('${'), 'policy variables are not supported'),
  ),
})

const policySchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: oneOrMore(statementSchema),
})

/** Permissions of a key; everything else is denied. */
export type Policy = z.infer<typeof policySchema>

/**
 * Parses an IAM policy document of Allow and Deny statements, with wildcards in actions and resources.
 * @throws InvalidInputError for elements that the embedded store does not support (Condition, NotAction, NotResource,
 *   Principal, policy variables)
 */
export function parsePolicy(document: unknown): Policy {
  const parsed = policySchema.safeParse(document)
  if (parsed.success) return parsed.data
  throw new InvalidInputError('bad_policy', `Unsupported policy: ${z.prettifyError(parsed.error)}`)
}

/** Whether `text` matches `pattern`, with `*` for any text, including slashes, and `?` for one character; O(pattern · text). */
export function matches(pattern: string, text: string): boolean {
  let at = 0
  let next = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++
      resume = at
    } else if (pattern[next] === '?' || pattern[next] === text[at]) {
      next++
      at++
    } else if (star >= 0) {
      next = star + 1
      at = ++resume
    } else return false
  }
  return /^\**$/.test(pattern.slice(next))
}

/**
 * Evaluates a policy as IAM does: allowed if an Allow applies and no Deny does.
 * @param action such as `s3:GetObject`; case-insensitive
 * @param resource an ARN; case-sensitive
 */
export function isAllowed({ Statement }: Policy, action: string, resource: string): boolean {
  const applying = Statement.filter(
    ({ Action, Resource }) =>
      Action.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
      Resource.some((pattern) => matches(pattern, resource)),
  )
  return applying.length > 0 && applying.every(({ Effect }) => Effect === 'Allow')
}
