import * as z from 'zod'
import type { Label } from '../../classifier/labels'
import { kindNames, kindOf } from '../../labels/kinds'
import type { ImageRecord } from '../../schema'

const probability = 'expected a number from 0 to 1'
const day = 'expected a date such as 2026-05, 2026-05-31 or 2026-05-31T18:00'
const names = 'expected a label, or several as a JSON array'
const limit = 'expected a whole number from 1 to 1000'

const localTime = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?)?)?$/

const probabilitySchema = z.coerce.number(probability).min(0, probability).max(1, probability)

/** One label, or several as a JSON array. */
const labelsSchema = z.union(
  [
    z.array(z.string()),
    z.string().transform((text, context): string[] => {
      if (!text.startsWith('[')) return [text]
      try {
        return z.array(z.string()).parse(JSON.parse(text))
      } catch {
        context.addIssue(names)
        return z.NEVER
      }
    }),
  ],
  names,
)

/** The query parameters of the results. */
export const querySchema = z.object({
  label: z
    .string()
    .optional()
    .describe(
      'Only images whose top label has the text in one of its names, or is a kind of it in WordNet: a name such as `dog`, or an id such as `n02084071`.',
    ),
  labelIs: labelsSchema
    .optional()
    .describe('Only images with exactly this top label, as it is shown; several as a JSON array.')
    .meta({ typeName: 'text or JSON array' }),
  search: z
    .string()
    .optional()
    .describe(
      'Only images with the text in a name of their top label, in what that is a kind of, or in their key; case is ignored.',
    ),
  status: z.enum(['ok', 'error']).optional().describe('Only records with this status.'),
  code: z.string().optional().describe('Only errors with this [code](errors.md#images).'),
  prefix: z.string().optional().describe('Only keys that begin with it.'),
  takenSince: z
    .string()
    .regex(localTime, day)
    .optional()
    .describe(
      "Only photos taken then or later, by the camera's clock: `2026`, `2026-05`, `2026-05-31` or `2026-05-31T18:00`.",
    ),
  takenUntil: z
    .string()
    .regex(localTime, day)
    .optional()
    .describe('Only photos taken until then; all of that year, month, day or minute is included.'),
  camera: z
    .string()
    .optional()
    .describe('Only photos whose camera has the text in its make or model; case is ignored.'),
  minProbability: probabilitySchema
    .optional()
    .describe('Only images whose top label has at least this probability, compared to three decimals.'),
  maxProbability: probabilitySchema
    .optional()
    .describe('Only images whose top label has at most this probability, compared to three decimals.'),
  limit: z.coerce
    .number(limit)
    .int(limit)
    .min(1, limit)
    .max(1000, limit)
    .default(100)
    .describe('At most so many records, 1 to 1000.')
    .meta({ typeName: 'whole number' }),
})
export type ResultsQuery = z.infer<typeof querySchema>

type Test = (record: ImageRecord) => boolean

/** Builds the test of a query, without its limit. */
export function matches(query: Omit<ResultsQuery, 'limit'>): Test {
  const { status, code, prefix, camera, search, takenSince, takenUntil } = query
  const make = camera?.toLowerCase()
  const tests: (Test | false)[] = [
    status !== undefined && ((record) => record.status === status),
    code !== undefined && (({ error }) => error?.code === code),
    prefix !== undefined && (({ key }) => key.startsWith(prefix)),
    make !== undefined && (({ exif }) => !!exif?.camera?.toLowerCase().includes(make)),
    search !== undefined && contains(search),
    isTaken(takenSince, takenUntil),
    ...testsOfTop(query),
  ]
  const active = tests.filter((test) => test !== false)
  return (record) => active.every((test) => test(record))
}

/** The tests on the most probable label. */
function testsOfTop({ label, labelIs, minProbability, maxProbability }: Omit<ResultsQuery, 'limit'>) {
  const min = thousandths(minProbability ?? 0)
  const max = thousandths(maxProbability ?? 1)
  const isNamed = label === undefined ? undefined : isLabelled(label)
  const names = labelIs && new Set(labelIs)
  const tests: (Test | false)[] = [
    isNamed !== undefined && (({ labels: [top] }) => isNamed(top)),
    names !== undefined && (({ labels: [top] }) => top !== undefined && names.has(top.label)),
    ({ labels: [top] }) => {
      const found = thousandths(top?.probability ?? 0)
      return found >= min && found <= max
    },
  ]
  return tests
}

const thousandths = (value: number): number => Math.round(value * 1000)

/** Tests for text in the top label's names, its kinds' names, or the key. */
function contains(text: string): Test {
  const part = text.toLowerCase()
  const known = new Map<string, boolean>()
  const isIn = ({ label, className, wordnetId }: Label): boolean => {
    const id = `${label}\n${className}\n${wordnetId}`
    const isFound =
      known.get(id) ?? [label, className, ...kindNames(wordnetId)].join('\n').toLowerCase().includes(part)
    known.set(id, isFound)
    return isFound
  }
  return ({ key, labels: [top] }) => key.toLowerCase().includes(part) || (top !== undefined && isIn(top))
}

/** Matches names by text, or by kind: `dog` finds both the beagle and the dog sled. */
function isLabelled(text: string): (label: Label | undefined) => boolean {
  const part = text.toLowerCase()
  const isKind = kindOf(text)
  return (label) =>
    label !== undefined &&
    // labels.json may show a name that the model does not have.
    (`${label.label}, ${label.className}`.toLowerCase().includes(part) || isKind(label.wordnetId))
}

/** Times of the same form sort as text. Records without a time do not match. */
function isTaken(since = '', until = ''): Test | false {
  if (since === '' && until === '') return false
  return ({ exif: { takenAt } = {} }) =>
    takenAt !== undefined && takenAt >= since && takenAt.slice(0, until.length) <= until
}
