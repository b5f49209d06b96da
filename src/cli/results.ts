import { type Command, Option } from 'commander'
import { csvHeader, toCsvLine } from '../batch/reports/csv'
import { newestBatches } from '../batch/reports/newest'
import { matches, querySchema, readResults } from '../batch/reports/results'
import { WhisklensError } from '../errors'
import { batchIdSchema, type ImageRecord } from '../schema'
import { columns } from './columns'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './connection'
import { writeNewFile } from './new-file'
import { matching, wholeNumber } from './options'
import { note, type OutputOptions, outputOptions, percent, plural, print, printable } from './output'
import { writeParquet } from './parquet'

interface ResultsOptions extends ConnectionFlags, OutputOptions {
  label?: string
  status?: 'ok' | 'error'
  prefix?: string
  minProbability?: number
  limit?: number
  csv?: boolean
  jsonl?: boolean
  parquet?: string
}

/** The uploads of today count by when the day's first came: so many are compared to find the newest. */
const mostCompared = 20

/** So many rows are held to align their columns. */
const rowsAtOnce = 200

/** `whisklens results`: the records of a batch. */
export function register(program: Command): void {
  const command = program
    .command('results')
    .description('the records of a batch, the newest unless an id is given')
    .argument('[id]', 'the batch', matching(batchIdSchema))
    .option('--label <text>', 'only images whose most probable label contains it, or is a kind of it')
    .addOption(new Option('--status <status>', 'only those').choices(['ok', 'error']))
    .option('--prefix <prefix>', 'only keys that begin with it')
    .option(
      '--min-probability <p>',
      'only if the most probable label is at least so probable, 0–1',
      matching(querySchema.shape.minProbability, 'Expected a number from 0 to 1.'),
    )
    .option('--limit <count>', 'so many records at most', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--csv', 'print CSV, one label for each image').conflicts(['json', 'jsonl']))
    .option('--jsonl', 'the same as --json')
    .addOption(
      new Option('--parquet <file>', 'write Apache Parquet, with all labels; - for stdout').conflicts([
        'json',
        'jsonl',
        'csv',
      ]),
    )
  connectionOptions(outputOptions(command, 'print whole records, one a line'))
    .addHelpText(
      'after',
      `
A label is found by a part of any of its names, by its WordNet id, and by what it is a kind of: "dog", "vehicle" and
n02084071 find all that is below them in WordNet. Parts count as well: "cat" finds cats, and the catamaran.

Examples:
  whisklens results                               the newest batch
  whisklens results --label dog --min-probability 0.5
  whisklens results uploads-2026-11-22 --status error
  whisklens results 20261122-073000-a1b2c3 --csv > labels.csv
  whisklens results --parquet labels.parquet`,
    )
    .action(run)
}

async function run(id: string | undefined, options: ResultsOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  const batch = id ?? (await newestBatches(results, mostCompared))[0]?.batch
  if (batch === undefined) {
    throw new WhisklensError('batch_not_found', 'There is no batch yet', {
      hint: 'Start one: whisklens batch <prefix>',
    })
  }
  if (id === undefined) note(`Batch ${batch}`, options)
  const found = selected(readResults(results, batch), options)
  if (options.parquet !== undefined) return exportParquet(found, options.parquet, options)
  for await (const text of formatted(found, options)) await print(text)
}

async function exportParquet(
  records: AsyncIterable<ImageRecord>,
  file: string,
  options: ResultsOptions,
): Promise<void> {
  // What stdout has taken it may still hold: the bytes are its own.
  if (file === '-') return void (await writeParquet(records, (bytes) => print(bytes.slice())))
  const count = await writeNewFile(file, (write) => writeParquet(records, write))
  note(`Wrote ${plural(count, 'record')} to ${file}`, options)
}

async function* selected(
  records: AsyncIterable<ImageRecord>,
  options: ResultsOptions,
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
  const nothing = 'The batch has no records; those of images that it skipped are in earlier batches'
  if (count === 0) note(isEmpty ? nothing : 'No record matches', options)
}

async function* formatted(records: AsyncIterable<ImageRecord>, { json, jsonl, csv }: ResultsOptions) {
  if (json || jsonl) for await (const record of records) yield `${JSON.stringify(record)}\n`
  else if (csv) {
    // Not before there are records: of a batch that is missing nothing is written.
    let header = csvHeader
    for await (const record of records) {
      yield header + toCsvLine(record)
      header = ''
    }
    if (header) yield header
  } else yield* tables(records)
}

const row = ({ key, labels: [top], error }: ImageRecord): string[] => [
  printable(key),
  printable(top?.label ?? `error: ${error?.code}`),
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
