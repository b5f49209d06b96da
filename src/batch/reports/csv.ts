import type { ImageRecord } from '../../schema'

const columns: [name: string, of: (record: ImageRecord) => string | number | null | undefined][] = [
  ['bucket', ({ bucket }) => bucket],
  ['key', ({ key }) => key],
  ['status', ({ status }) => status],
  ['label', ({ labels }) => labels[0]?.label],
  ['probability', ({ labels }) => labels[0]?.probability],
  ['wordnetId', ({ labels }) => labels[0]?.wordnetId],
  ['error', ({ error }) => error?.code],
  ['width', ({ width }) => width],
  ['height', ({ height }) => height],
  ['etag', ({ etag }) => etag],
  ['model', ({ model }) => model],
  ['at', ({ at }) => at],
]

/** RFC 4180: quoted where a comma, a quote or a line break would be misread. */
const field = (value: string | number | null | undefined): string => {
  const text = String(value ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvHeader = `${columns.map(([name]) => name).join(',')}\r\n`

/** One record as a line of CSV: its most probable label, or its error. */
export const toCsvLine = (record: ImageRecord): string =>
  `${columns.map(([, of]) => field(of(record))).join(',')}\r\n`
