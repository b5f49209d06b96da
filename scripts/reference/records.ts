import { type ColumnType, columns, toRow } from '../../src/batch/reports/columns'
import { rawCsv } from '../../src/batch/reports/csv'
import { directorySchema } from '../../src/batch/reports/index-file'
import {
  endMark,
  type IndexColumns,
  type IndexDirectory,
  recordsPerChunk,
} from '../../src/batch/reports/index-format'
import { parquetTypeOf } from '../../src/batch/reports/parquet'
import { recordSchema, summarySchema, thumbnailSchema } from '../../src/schema'
import { errorRecord, exampleRecord, exampleSummary } from './examples'
import { example, fieldTable } from './fields'
import { block, code, generatedBy, json, page, table } from './markdown'

const columnTypes: Record<ColumnType, string> = {
  text: 'text',
  integer: 'whole number',
  bytes: 'whole number, bytes',
  number: 'number',
  time: 'time in UTC, ISO 8601',
  localTime: 'time without a zone, ISO 8601',
  labels: 'list of labels; in CSV one cell, `tabby 0.75; lynx 0.0833`',
}

const columnTable = (): string =>
  table(
    ['column', 'type', 'in Parquet', 'meaning'],
    columns.map(({ name, type, isRequired, meaning }) => [
      code(name),
      isRequired ? columnTypes[type] : `${columnTypes[type]}; may be empty`,
      code(parquetTypeOf(type)),
      meaning,
    ]),
  )

const files: [string, string][] = [
  ['images/<model>/<bucket>/<key>', 'The newest record of an image, by version of the model.'],
  ['batches/<id>/summary.json', 'The summary.'],
  [
    'batches/<id>/results.jsonl',
    'All records, one per line, in the order of their keys. Written when the batch closes.',
  ],
  ['batches/<id>/errors.jsonl', 'The records in error, one per line. Written when the batch closes.'],
  ['batches/<id>/results.csv', 'The columns below, for spreadsheets. Written when the batch closes.'],
  ['batches/<id>/index.bin', 'The index. Written when the batch closes.'],
  ['thumbnails/<bucket>/<name>.webp', 'Thumbnails; JPEG where sharp is not installed.'],
]

const indexColumns: Record<keyof IndexColumns, string> = {
  label: 'Top label; -1 for none.',
  confidence: 'Its probability in thousandths.',
  error: 'Code of the error; -1 for an image that was classified.',
  bucket: 'Bucket.',
  takenAt: "Time of the photo by the camera's clock, minutes since 1970-01-01T00:00; -1 where it is unknown.",
  camera: 'Camera; -1 where it is unknown.',
}

const exampleDirectory: IndexDirectory = {
  schema: 'whisklens.index/1',
  rows: 2,
  labels: exampleRecord.labels.map(({ label, className, wordnetId }) => ({ label, className, wordnetId })),
  codes: ['image_corrupt'],
  cameras: ['Canon EOS R5'],
  buckets: ['images'],
  blocks: [{ rows: 2, columns: [0, 104], others: [104, 71], keys: [175, 62], records: 237, chunks: [712] }],
}

const indexSection = page(
  '## Index',
  `\`index.bin\` holds a batch as columns, to filter, sort and count by, and its records in chunks that are read one by one. The gallery reads
it with ranges. The file is blocks of rows, a directory in JSON that is compressed with gzip, the length of the compressed directory in four
bytes, most significant first, and the letters \`${endMark}\`. The directory:`,
  fieldTable(directorySchema),
  block('json', example(directorySchema, exampleDirectory)),
  `The columns of a block are JSON, compressed with gzip: an object with a list for each, one value per row.`,
  table(
    ['column', 'value'],
    Object.entries(indexColumns).map(([name, meaning]) => [code(name), meaning]),
  ),
  `\`others\` has \`label\` and \`confidence\` with a list per row, \`keys\` has \`key\`. A chunk of records is ${recordsPerChunk} lines of
\`results.jsonl\`, compressed with Brotli. [http.md](http.md#results) says how to ask for an index and for its rows.`,
).trimEnd()

export const recordsPage = (): string =>
  page(
    '# Records',
    generatedBy('`src/schema` and `src/batch/reports`'),
    'What Whisklens writes into the results bucket: records of images, summaries of batches, and files made of them.',
    table(
      ['key', 'content'],
      files.map(([key, content]) => [code(key), content]),
    ),
    block(
      'sh',
      'whisklens upload photos/ --prefix photos/\nwhisklens batch photos/ --batch records --force\nwhisklens results records --json',
    ),
    '## Record',
    'One image, classified or in error. A record describes one version of the image and one version of the model.',
    fieldTable(recordSchema),
    block('json', example(recordSchema, exampleRecord), 'check: record'),
    'An image that could not be classified has an `error` and no labels:',
    block('json', example(recordSchema, errorRecord), 'check: record'),
    '## Summary',
    'One batch. The trigger `batch-completed` and the [webhook](../webhook.md) carry it as well.',
    fieldTable(summarySchema),
    block('json', example(summarySchema, exampleSummary), 'check: summary'),
    '## Columns of exports',
    'CSV, JSON Lines and Parquet have the same columns in the same order, one row per record.',
    columnTable(),
    'A row of JSON Lines, which is one line in the file:',
    block('json', json(toRow(exampleRecord))),
    'The same in CSV, with `--raw`:',
    block('text', `${rawCsv.header}${rawCsv.line(exampleRecord)}`),
    block(
      'sh',
      'whisklens results records --raw > labels.csv\nwhisklens results records --jsonl > labels.jsonl\nwhisklens results records --parquet labels.parquet',
    ),
    'In Parquet, `labels` is a list of structs with `label`, `className`, `wordnetId`, `index` and `probability`.',
    '## Thumbnail',
    `A picture of the whole image, upright, in sRGB, at most 320 pixels wide and high; smaller images are not enlarged. The name is made of the
key and the ETag of the image: another version has another thumbnail. The field \`thumbnail\` of a record:`,
    fieldTable(thumbnailSchema),
    indexSection,
  )
