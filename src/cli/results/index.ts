import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { toRow } from '../../batch/reports/columns'
import { type CsvFormat, rawCsv, spreadsheetCsv } from '../../batch/reports/csv'
import { readLabelView } from '../../batch/reports/labels-file'
import { latestRecords } from '../../batch/reports/latest-records'
import { newestBatches } from '../../batch/reports/newest'
import { writeParquet } from '../../batch/reports/parquet'
import { matches } from '../../batch/reports/query'
import { readResults } from '../../batch/reports/results'
import { readSummary } from '../../batch/reports/summary-object'
import { messageOf, WhisklensError } from '../../errors'
import { parseLabelRules } from '../../labels/rules'
import { type LabelView, labelView, modelsLabels } from '../../labels/view'
import { batchIdSchema, type ImageRecord, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { columns } from '../shared/columns'
import { needStore, resolveConnection, type StoreFlags, storeOptions } from '../shared/connection'
import { writeNewFile } from '../shared/new-file'
import { matching, wholeNumber } from '../shared/options'
import { note, type OutputOptions, outputOptions, percent, plural, print, printable } from '../shared/output'
import { type FilterOptions, filterOptions } from './filters'

interface ResultsOptions extends StoreFlags, OutputOptions, FilterOptions {
  limit?: number
  /** A file; false for the model's. */
  labels?: string | false
  csv?: boolean
  raw?: boolean
  jsonl?: boolean
  parquet?: string
}

/** So many rows are held to align their columns. */
const rowsAtOnce = 200

/** `whisklens results`: the records of a batch. */
export function register(program: Command): void {
  const command = program
    .command('results')
    .description('print the records of a batch, by default the newest that has any')
    .argument('[id]', 'id of the batch', matching(batchIdSchema))
  filterOptions(command)
    .option('--limit <count>', 'at most this many records', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--labels <file>', 'rules for labels, instead of labels.json in the results bucket')
    .option('--no-labels', 'labels as the model names them')
    .addOption(new Option('--csv', 'print CSV that is safe to open in a spreadsheet').conflicts('json'))
    .addOption(
      new Option('--raw', 'print CSV for programs: unchanged texts, no byte order mark')
        .implies({ csv: true })
        .conflicts(['json', 'jsonl', 'parquet']),
    )
    .addOption(new Option('--jsonl', 'print the columns of the CSV as JSON Lines').conflicts(['json', 'csv']))
    .addOption(
      new Option('--parquet <file>', 'write the same columns as Apache Parquet; - for stdout').conflicts([
        'json',
        'jsonl',
        'csv',
      ]),
    )
  storeOptions(outputOptions(command, 'print whole records, one per line'))
    .addHelpText(
      'after',
      `
--label matches a part of any name of a label, its WordNet id, or what it is a kind of: "dog", "vehicle" and n02084071
match all below them in WordNet. "cat" matches cats, and also catamaran. --label-is matches a label as it is printed.

CSV, JSON Lines and Parquet have the same columns. CSV puts an apostrophe before texts that a spreadsheet would run as
formulas; --raw leaves all texts unchanged.

Examples:
  whisklens results                               # the newest batch with records
  whisklens results --label dog --min-probability 0.5
  whisklens results --label-is tabby --label-is "tiger cat"
  whisklens results --max-probability 0.3         # the least certain, to look through
  whisklens results --search 2026/05 --status ok
  whisklens results --code image_corrupt
  whisklens results uploads-$(date -u +%F) --limit 10
  whisklens results 20261122-073000-a1b2c3 --csv > labels.csv
  whisklens results --parquet labels.parquet`,
    )
    .action(run)
}

async function run(id: string | undefined, options: ResultsOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  const batch = id ?? latestRecords(await newestBatches(results))
  if (batch === undefined) {
    throw new WhisklensError('batch_not_found', 'There is no batch yet', {
      hint: 'Start one: whisklens batch <prefix>.',
    })
  }
  const view = await viewOf(results, options)
  if (id === undefined) note(`Batch ${batch}`, options)
  const none = async () => note(await whyNone(results, batch), options)
  const found = selected(readResults(results, batch, view), options, none)
  if (options.parquet !== undefined) return exportParquet(found, options.parquet, options)
  for await (const text of formatted(found, options)) await print(text)
}

async function whyNone(results: Bucket, batch: string): Promise<string> {
  const summary = await readSummary(results, batch)
  if (summary && !isClosed(summary.state)) return 'The batch has no records yet'
  return summary && summary.totals.skipped > 0
    ? 'The batch has no records: the images that it skipped are in earlier batches'
    : 'The batch has no records'
}

async function viewOf(results: Bucket, { labels }: ResultsOptions): Promise<LabelView> {
  if (labels === false) return modelsLabels
  if (typeof labels !== 'string') return readLabelView(results)
  const text = await readFile(labels, 'utf8').catch((cause) => {
    throw new WhisklensError('bad_labels', `${labels} cannot be read: ${messageOf(cause)}`, { cause })
  })
  return labelView(parseLabelRules(text, labels))
}

async function exportParquet(
  records: AsyncIterable<ImageRecord>,
  file: string,
  options: ResultsOptions,
): Promise<void> {
  // The writer reuses its buffer, and stdout may still hold what it was given.
  if (file === '-') return void (await writeParquet(records, (bytes) => print(bytes.slice())))
  const count = await writeNewFile(file, (write) => writeParquet(records, write))
  note(`Wrote ${plural(count, 'record')} to ${file}`, options)
}

async function* selected(
  records: AsyncIterable<ImageRecord>,
  options: ResultsOptions,
  none: () => Promise<void>,
): AsyncGenerator<ImageRecord> {
  const isWanted = matches(options)
  let count = 0
  let isEmpty = true
  for await (const record of records) {
    isEmpty = false
    if (!isWanted(record)) continue
    yield record
    if (++count === options.limit) return
  }
  if (isEmpty) await none()
  else if (count === 0) note('No record matches', options)
}

async function* formatted(records: AsyncIterable<ImageRecord>, { json, jsonl, csv, raw }: ResultsOptions) {
  if (json) for await (const record of records) yield `${JSON.stringify(record)}\n`
  else if (jsonl) for await (const record of records) yield `${JSON.stringify(toRow(record))}\n`
  else if (csv) yield* lines(records, raw ? rawCsv : spreadsheetCsv)
  else yield* tables(records)
}

/** The header is not printed before there are records: of a batch that is missing nothing is written. */
async function* lines(records: AsyncIterable<ImageRecord>, { header, line }: CsvFormat) {
  let before = header
  for await (const record of records) {
    yield before + line(record)
    before = ''
  }
  if (before) yield before
}

const row = ({ key, labels: [top], error }: ImageRecord): string[] => [
  printable(key),
  printable(top?.label ?? (error ? `error: ${error.code}` : 'no label')),
  top ? percent(top.probability) : '',
]

/** Blocks of aligned rows: the whole of a large batch could not be held to measure its columns. */
async function* tables(records: AsyncIterable<ImageRecord>): AsyncGenerator<string> {
  let rows = [['key', 'label', 'probability']]
  for await (const record of records) {
    rows.push(row(record))
    if (rows.length < rowsAtOnce) continue
    yield columns(rows)
    rows = []
  }
  if (rows.length > 0) yield columns(rows)
}
