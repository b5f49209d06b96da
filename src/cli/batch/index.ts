import { type Command, InvalidArgumentError, Option } from 'commander'
import { WhisklensError } from '../../errors'
import { resultOf } from '../../library/batches/activations'
import { fireBatch, newBatchId, resultsBucketOf, retries } from '../../library/batches/fire'
import { type FollowOptions, followBatch, type PriorRun, progressOf } from '../../library/batches/follow'
import { connect } from '../../openwhisk/client'
import { type BatchSummary, batchRequestSchema, summarySchema } from '../../schema'
import type { Bucket } from '../../storage/store'
import {
  type Connection,
  type ConnectionFlags,
  connectionOptions,
  needOpenWhisk,
  resolveConnection,
} from '../shared/connection'
import { matching, wholeNumber } from '../shared/options'
import {
  exitCodeOfBatches,
  next,
  note,
  type OutputOptions,
  outputOptions,
  print,
  printJson,
} from '../shared/output'
import { startProgress } from '../shared/progress'
import { costOf, describeSummary, skipsUnchanged } from '../shared/summary'
import { uploadManifest } from './manifest'
import { selectionOf } from './selection'

interface BatchOptions extends ConnectionFlags, OutputOptions {
  bucket?: string
  model?: string
  batch?: string
  force?: boolean
  include?: string
  exclude?: string
  manifest?: string
  format?: string
  newerThan?: string
  since?: Date
  minSize?: number
  maxSize?: number
  sample?: string
  limit?: number
  maxErrors?: string
  maxCost?: number
  exif?: 'position'
  tag?: boolean
  dryRun?: boolean
  wait: boolean
}

/** `whisklens batch`: fires `batch-requested` and follows the batch. */
export function register(program: Command): void {
  const { batch, since, newerThan, format, minSize, maxSize, sample, maxErrors, maxCost, exif } =
    batchRequestSchema.shape
  const command = program
    .command('batch')
    .description('classify images of a bucket on OpenWhisk, by prefixes, globs or a list')
    .argument('[prefixes...]', "prefixes of keys, '' for all; or globs: 'photos/**/*.jpg'")
    .option('--manifest <list>', 'only images of a list: a file, s3://bucket/key, or - for stdin')
    .option('--bucket <name>', 'images bucket (default: WHISKLENS_IMAGES_BUCKET, images)')
    .option('--model <model>', 'model (default: that of the deployment)')
    .option(
      '--batch <id>',
      'id of the batch; firing it again classifies only what is missing',
      matching(batch),
    )
    .option('--force', 'classify unchanged images again')
    .option('--include <glob>', "only keys that match: '*.jpg' in any folder, '2026/*' in one")
    .option('--exclude <glob>', 'skip keys that match')
    .option(
      '--since <date>',
      'only images modified since this date',
      matching(since, 'Expected a date such as 2026-01-31.'),
    )
    .addOption(
      new Option('--newer-than <age>', 'only images modified within this period: 12h, 7d, 8w')
        .argParser(matching(newerThan, 'Expected an age such as 12h, 30d or 8w.'))
        .conflicts('since'),
    )
    .option(
      '--format <formats>',
      'only keys with the extensions of these formats: jpeg,png',
      matching(format),
    )
    .option('--min-size <size>', 'only images of at least this size: 500, 10k, 5M', matching(minSize))
    .option('--max-size <size>', 'only images of at most this size', matching(maxSize))
    .option(
      '--sample <share>',
      'only this share of the images, the same ones every time: 1%',
      matching(sample, 'Expected a share above 0% and up to 100%, such as 1% or 0.5%.'),
    )
    .option('--limit <count>', 'at most this many images', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option(
      '--max-errors <n>',
      'stop after this many errors, or this share of errors: 100, 5%',
      matching(maxErrors),
    )
    .option(
      '--max-cost <cost>',
      'do nothing if the estimate is higher, in the currency of WHISKLENS_GB_SECOND_PRICE',
      matching(maxCost, 'Expected a number above 0, such as 2.5.'),
    )
    .option(
      '--exif <what>',
      'position: also store the GPS position; date and camera are always stored',
      matching(exif, 'Expected position.'),
    )
    .option('--tag', 'tag each image with its top label, probability and model')
    .option('--dry-run', 'only count the images and estimate the cost')
    .option('--no-wait', 'print the id and exit once the batch is fired')
  connectionOptions(outputOptions(command, 'print the summary as JSON'))
    .addHelpText(
      'after',
      `
Fires the trigger batch-requested and waits until the batch is complete. Images that have not changed since they were
classified are skipped, also if they are in error; --force classifies them again. Ctrl-C ends the command; the batch
continues.

Examples:
  whisklens batch photos/
  whisklens batch photos/ scans/ --newer-than 7d --format jpeg,png
  whisklens batch 'photos/**/*.jpg' --since 2026-01-01
  whisklens batch --manifest inventory.csv    # keys, JSON Lines or CSV: docs/batches.md
  grep cat keys.txt | whisklens batch --manifest -
  whisklens batch '' --min-size 10k --sample 1% --max-cost 0.5
  whisklens batch photos/ --dry-run --json
  id=$(whisklens batch photos/ --no-wait); whisklens watch "$id"`,
    )
    .action(run)
}

async function run(prefixes: string[], options: BatchOptions): Promise<void> {
  if (prefixes.length === 0 && options.manifest === undefined)
    throw new InvalidArgumentError(
      "Expected a prefix ('' for all images), a glob, or --manifest with a list.",
    )
  const connection = await resolveConnection(options)
  const batch = options.batch ?? newBatchId()
  const results = resultsBucketOf(connection)
  const selection = selectionOf(prefixes, options.include)
  const list =
    options.manifest === undefined ? undefined : await uploadManifest(options.manifest, batch, results)
  const { prefix, include } = selection
  const [only] = prefix
  const about = { prefix: prefix.length === 1 ? only : prefix, include, manifest: list?.address }
  const request = { ...about, ...requestOf(options), batch }
  if (options.dryRun)
    return dryRun({ ...request, dryRun: true }, connection, options).finally(() => list?.remove())
  const summary = await fireAndFollow(request, connection, options).catch(async (thrown) => {
    // The batch never started, so it will not delete the list.
    if (thrown instanceof WhisklensError && thrown.code === 'no_active_rule') await list?.remove()
    throw thrown
  })
  // A stopped batch may not have listed anything.
  if (summary?.state !== 'complete' || summary.totals.listed > 0) return
  const below = prefix.map((one) => JSON.stringify(one)).join(', ')
  note(list ? 'No image on the list is selected' : `No object in the bucket has the prefix ${below}`, options)
}

function requestOf(options: BatchOptions) {
  const { bucket, model, force, exclude, newerThan, format, minSize, maxSize, sample, limit } = options
  const filters = {
    exclude,
    newerThan,
    format,
    since: options.since?.toISOString(),
    minSize,
    maxSize,
    sample,
  }
  const { maxErrors, maxCost, exif, tag } = options
  return { bucket, model, force, ...filters, limit, maxErrors, maxCost, exif, tag }
}

/** Fires `batch-requested`, waits until the batch is closed, and prints its summary; without `wait`, only its id. */
export async function fireAndFollow(
  request: { batch: string } & Record<string, unknown>,
  connection: Connection,
  options: OutputOptions & { wait: boolean },
): Promise<BatchSummary | undefined> {
  const { batch } = request
  const { activationId, before, failure } = await fireBatch(request, connection)
  if (!options.wait) {
    await (options.json ? printJson({ batch, activationId }) : print(`${batch}\n`))
    next(`whisklens watch ${batch}`, options)
    return undefined
  }
  note(`Fired batch-requested: batch ${batch}`, options)
  const summary = await follow(resultsBucketOf(connection), batch, before, failure, options)
  await (options.json ? printJson(summary) : print(describeSummary(summary)))
  process.exitCode = exitCodeOfBatches([summary])
  if (skipsUnchanged(summary)) note(aboutSkipped, options)
  if (summary.state === 'cancelled' || summary.state === 'stopped') next(`whisklens retry ${batch}`, options)
  else if (summary.totals.ok > 0) next(`whisklens results ${batch}`, options)
  else if (summary.totals.error > 0) next(`whisklens results ${batch} --status error`, options)
  return summary
}

/** The plan takes records from a listing, without their contents: it cannot tell how many are errors. */
const aboutSkipped = 'Skipped images keep their record, errors included; --force classifies them again'

async function follow(
  results: Bucket,
  batch: string,
  before: PriorRun,
  failure: FollowOptions['failure'],
  options: OutputOptions,
): Promise<BatchSummary> {
  const progress = startProgress('images', options)
  // Must run before the listener that exits the process.
  process.prependOnceListener('SIGINT', () =>
    note(`\nThe batch continues. Follow it: whisklens watch ${batch}`, options),
  )
  const onProgress: FollowOptions['onProgress'] = (summary, found) =>
    progress.update(progressOf(summary, found))
  try {
    return await followBatch(results, batch, before, { onProgress, failure })
  } finally {
    progress.stop()
  }
}

/** Polls for the result: counting may take longer than the 60 seconds of a blocking call. */
async function dryRun(request: object, connection: Connection, { json }: OutputOptions): Promise<void> {
  const address = needOpenWhisk(connection)
  const action = `/${connection.namespace}/whisklens/start-batch`
  const activationId = await connect(address, retries).invoke(action, request)
  const answer = summarySchema.safeParse(await resultOf(address, 'start-batch', activationId))
  if (!answer.success) throw new WhisklensError('action_failed', 'start-batch returned no summary')
  if (json) return printJson(answer.data)
  const { planned, listed, skipped } = answer.data.totals
  const cost = costOf(answer.data)
  await print(`${planned} images would be classified: ${listed} listed, ${skipped} unchanged and skipped\n`)
  if (cost) await print(`This would cost about ${cost}\n`)
}
