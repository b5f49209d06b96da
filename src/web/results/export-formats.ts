import { PassThrough, Readable } from 'node:stream'
import { toRow } from '../../batch/reports/columns'
import { type CsvFormat, rawCsv, spreadsheetCsv } from '../../batch/reports/csv'
import { writeParquet } from '../../batch/reports/parquet'
import type { ImageRecord } from '../../schema'

/** Encodes the records of a batch as text or bytes. */
export interface ExportFormat {
  /** File of a closed batch with the same content. */
  file?: 'results.csv'
  /** An equivalent of the record whose JSON is as long as its part of the answer. */
  measure: (record: ImageRecord) => object | string
  /** Body of an answer; base64 unless it is text. */
  bodyOf: (records: ImageRecord[]) => string | Promise<string>
  /** Streams all records. */
  stream: (records: AsyncIterable<ImageRecord>) => Readable
}

/** The charset matters: without it OpenWhisk treats an unknown type as binary. */
export const exportTypes = {
  jsonl: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
}
export type ExportName = keyof typeof exportTypes

/** Size of written chunks, bytes: a stream of single lines is slow. */
const pieceBytes = 64 * 1024

async function* pieces(records: AsyncIterable<ImageRecord>, { header, line }: CsvFormat) {
  let piece = header
  for await (const record of records) {
    piece += line(record)
    if (piece.length < pieceBytes) continue
    yield piece
    piece = ''
  }
  yield piece
}

const textFormat = (text: CsvFormat, file?: 'results.csv'): ExportFormat => ({
  file,
  measure: text.line,
  bodyOf: (records) => text.header + records.map(text.line).join(''),
  stream: (records) => Readable.from(pieces(records, text), { objectMode: false }),
})

const csv = textFormat(spreadsheetCsv, 'results.csv')
const csvForPrograms = textFormat(rawCsv)

/** @param more additional properties of a row */
const jsonLines = (more: (record: ImageRecord) => object): ExportFormat =>
  textFormat({
    header: '',
    line: (record) => `${JSON.stringify({ ...toRow(record), ...more(record) })}\n`,
  })

const parquet: ExportFormat = {
  // JSON is longer than the record's row in base64.
  measure: (record) => record,
  bodyOf: async (records) => {
    const written: Buffer[] = []
    await writeParquet(records, async (bytes) => written.push(Buffer.from(bytes)))
    return Buffer.concat(written).toString('base64')
  },
  stream: (records) => {
    const stream = new PassThrough()
    const write = (bytes: Uint8Array) =>
      new Promise<void>((done, fail) =>
        stream.write(Buffer.from(bytes), (error) => (error ? fail(error) : done())),
      )
    writeParquet(records, write).then(
      () => stream.end(),
      (thrown) => stream.destroy(thrown),
    )
    return stream
  },
}

/**
 * @param raw CSV for programs instead of spreadsheets
 * @param more additional properties of a JSON Lines row
 */
export function exportFormat(
  name: ExportName,
  raw: boolean,
  more: (record: ImageRecord) => object,
): ExportFormat {
  if (name === 'parquet') return parquet
  if (name === 'jsonl') return jsonLines(more)
  return raw ? csvForPrograms : csv
}
