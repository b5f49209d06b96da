import { type ErrorCode, errorCodes, errorKind } from '../../src/error-codes'
import { generatedBy, page, table } from './markdown'

const introduction = `# Errors

${generatedBy('`src/error-codes.ts`')}

Every error has a code, which is meant for scripts and never renamed, and a message for people, which may change. Commands
print \`error: <message>\` and \`hint: <hint>\`, and with \`--json\` \`{"error": {"code", "message", "hint"}}\` on stderr. Web actions
answer the same JSON with the HTTP status below; \`predict\` answers in MAX's form. Other actions answer
\`{"error": "<message> (<code>). <hint>"}\`. An image's record has \`error: {code, message, retryable, attempts}\`.

*Retry*: whether the same call may succeed later without a change; "varies" if the error itself says so, as records do with
\`retryable\`. Where an error has a more exact hint than the one below, it gives that.
`

const inRecords = (code: ErrorCode): boolean => errorKind(code).image === true

const retryOf = (code: ErrorCode): string => {
  const { retryable = false } = errorKind(code)
  if (retryable === 'varies') return retryable
  return retryable ? 'yes' : 'no'
}

const row = (code: ErrorCode): (string | number)[] => {
  const { status, when, hint = 'the message says it' } = errorKind(code)
  return [`\`${code}\``, status, retryOf(code), when, hint]
}

const section = (title: string, about: string, codes: ErrorCode[]): string =>
  page(
    `## ${title}`,
    about,
    table(['code', 'HTTP status', 'retry', 'when', 'what to do'], codes.map(row)),
  ).trimEnd()

export function errorsPage(): string {
  const codes = Object.keys(errorCodes) as ErrorCode[]
  const others = codes.filter((code) => !inRecords(code))
  return page(
    introduction.trimEnd(),
    section(
      'Images',
      'In the `error` of records, and wherever an image is classified.',
      codes.filter(inRecords),
    ),
    section('All others', 'Of commands, actions and the local mode.', others),
  )
}
