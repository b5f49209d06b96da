import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ErrorCode, errorCodes, errorKind } from '../src/error-codes'

/*
 * Writes docs/errors.md from the table of errors.
 */

const introduction = `# Errors

Generated from \`src/error-codes.ts\` by \`npm run errors\`.

Every error has a code, which is meant for scripts and never renamed, and a message for people, which may change. Commands
print \`error: <message>\` and \`hint: <hint>\`, and with \`--json\` \`{"error": {"code", "message", "hint"}}\` on stderr. Web actions
answer the same JSON with the HTTP status below; \`predict\` answers in MAX's form. Other actions answer
\`{"error": "<message> (<code>). <hint>"}\`. An image's record has \`error: {code, message, retryable, attempts}\`.

*Retry*: whether the same call may succeed later without a change; "varies" where the error itself tells, as records do with
\`retryable\`. Where an error has a more exact hint than the one below, it gives that.
`

const inRecords = (code: ErrorCode): boolean => errorKind(code).image === true

const retryOf = (code: ErrorCode): string => {
  const { retryable = false } = errorKind(code)
  if (retryable === 'varies') return retryable
  return retryable ? 'yes' : 'no'
}

const row = (code: ErrorCode): string => {
  const { status, when, hint = 'the message says it' } = errorKind(code)
  const cells = [`\`${code}\``, status, retryOf(code), when, hint].map((cell) =>
    String(cell).replaceAll('|', '\\|'),
  )
  return `| ${cells.join(' | ')} |`
}

const table = (codes: ErrorCode[]): string =>
  ['| code | HTTP status | retry | when | what to do |', '|---|---|---|---|---|', ...codes.map(row)].join(
    '\n',
  )

/** The text of docs/errors.md. */
export function errorsPage(): string {
  const codes = Object.keys(errorCodes) as ErrorCode[]
  const sections = [
    ['Images', 'In the `error` of records, and wherever an image is classified.', codes.filter(inRecords)],
    ['All others', 'Of commands, actions and the local mode.', codes.filter((code) => !inRecords(code))],
  ] as const
  const text = sections.map(([title, about, of]) => `## ${title}\n\n${about}\n\n${table([...of])}\n`)
  return [introduction, ...text].join('\n')
}

if (require.main === module) writeFileSync(join(__dirname, '..', 'docs', 'errors.md'), errorsPage())
