import type { ImageRecord } from '../../schema'
import { type Column, columns } from './columns'
import { neutralise } from './formulas'

/** How records become CSV. */
export interface CsvFormat {
  /** First line of a file. */
  header: string
  /** @returns the line of a record, with its line end */
  line: (record: ImageRecord) => string
}

/** Quotes as RFC 4180 requires. */
const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** A list in one cell: `tabby 0.75; tiger cat 0.0833`. */
const listOf = (labels: ImageRecord['labels']): string =>
  labels.map(({ label, probability }) => `${label} ${Number(probability.toPrecision(3))}`).join('; ')

const csvOf = (prefix: string, textOf: (text: string) => string): CsvFormat => {
  const cell = ({ of }: Column, record: ImageRecord): string => {
    const value = of(record) ?? ''
    if (typeof value === 'number') return String(value)
    return field(textOf(typeof value === 'string' ? value : listOf(value)))
  }
  return {
    header: `${prefix}${columns.map(({ name }) => name).join(',')}\r\n`,
    line: (record) => `${columns.map((column) => cell(column, record)).join(',')}\r\n`,
  }
}

/** For spreadsheets: no formulas, and a byte order mark so that the file is read as UTF-8. */
export const spreadsheetCsv = csvOf('\uFEFF', neutralise)

/** For programs: text unchanged. */
export const rawCsv = csvOf('', (text) => text)
