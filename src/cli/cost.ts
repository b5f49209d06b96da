import { type Command, InvalidArgumentError } from 'commander'
import { rounded } from '../batch/records/usage'
import { estimateCost, outcomes, withUsage } from '../batch/reports/cost'
import { newestBatches } from '../batch/reports/newest'
import { priceSchema } from '../config'
import type { BatchSummary } from '../schema'
import type { Bucket } from '../storage/store'
import { columns } from './shared/columns'
import { needStore, resolveConnection, type StoreFlags, storeOptions } from './shared/connection'
import { matching, wholeNumber } from './shared/options'
import { note, type OutputOptions, outputOptions, print, printJson } from './shared/output'
import { figure } from './shared/summary'

interface CostOptions extends StoreFlags, OutputOptions {
  images?: number
  price?: number
  limit: number
}

/** `whisklens cost`. */
export function register(program: Command): void {
  const command = program
    .command('cost')
    .description('show what batches cost, or estimate one')
    .option('--images <count>', 'estimate a batch of this many images: 250000, 100k, 10M', imageCount)
    .option(
      '--price <price>',
      'price of a GB-second (default: that of each batch, WHISKLENS_GB_SECOND_PRICE for an estimate)',
      matching(priceSchema.transform(Number)),
    )
    .option('--limit <count>', 'at most this many batches', wholeNumber(1, 100_000), 20)
  storeOptions(outputOptions(command, 'print a JSON object per batch, one per line, and one of their sum'))
    .addHelpText(
      'after',
      `
GB-seconds are memory times duration of the activations of classify and aggregate, as they report it. Not counted:
activations that crashed, container starts, start-batch and closing a batch. A day of uploads is counted while it is open.
The cost is in the currency of the price: US dollars, unless you set your platform's price.

Examples:
  whisklens cost
  whisklens cost --price 0.00002 --json | jq 'select(.batches).cost'
  whisklens cost --images 10M`,
    )
    .action(run)
}

const scale: Record<string, number> = { '': 1, k: 1e3, m: 1e6 }

/** `250000`, `100k`, `2.5M`. */
function imageCount(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([km]?)$/i.exec(text) ?? []
  const images = Math.round(Number(digits) * (scale[unit.toLowerCase()] ?? 1))
  if (images >= 1 && Number.isSafeInteger(images)) return images
  throw new InvalidArgumentError('Expected a number of images such as 250000, 100k or 10M.')
}

async function run(options: CostOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  const { images, price = Number(connection.settings.gbSecondPrice) } = options
  if (images !== undefined) return estimate(results, images, price, options)
  const summaries: BatchSummary[] = []
  for (const summary of await newestBatches(results, options.limit))
    summaries.push(await withUsage(results, summary))
  await list(summaries, options)
}

const bases = {
  measured: 'measured: latest batches of the same model',
  assumed: 'assumed: no batch has been measured yet',
}

async function estimate(results: Bucket, images: number, price: number, options: CostOptions): Promise<void> {
  const { gbSeconds, cost, basis } = await estimateCost(results, { images, price })
  if (options.json) return printJson({ images, gbSeconds, cost, pricePerGbSecond: price, basis })
  await print(
    columns([
      ['images', images.toLocaleString('en')],
      ['GB-s', figure(gbSeconds)],
      ['cost', `${figure(cost)} at ${price} a GB-s`],
      ['basis', bases[basis]],
    ]),
  )
}

/** Batches that are open, or were not measured, have no figures. */
const orDash = (value: number): string => (value > 0 ? figure(value) : '–')

async function list(summaries: BatchSummary[], options: CostOptions): Promise<void> {
  const rows = summaries.map((summary) => {
    const { batch, gbSeconds, pricePerGbSecond, imagesPerSecond } = summary
    const price = options.price ?? pricePerGbSecond
    const cost = options.price === undefined ? summary.cost : rounded(gbSeconds * options.price)
    return { batch, images: outcomes(summary), gbSeconds, cost, pricePerGbSecond: price, imagesPerSecond }
  })
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0)
  const total = {
    batches: rows.length,
    images: sum(({ images }) => images),
    gbSeconds: rounded(sum(({ gbSeconds }) => gbSeconds)),
    cost: rounded(sum(({ cost }) => cost)),
  }
  if (options.json) {
    for (const row of rows) await printJson(row)
    return printJson(total)
  }
  if (rows.length === 0) return note('No batch yet. Start one: whisklens batch <prefix>', options)
  await print(
    columns([
      ['batch', 'images', 'GB-s', 'cost', 'images/s'],
      ...rows.map((row) => [
        row.batch,
        row.images,
        orDash(row.gbSeconds),
        orDash(row.cost),
        orDash(row.imagesPerSecond),
      ]),
      [`sum of ${total.batches}`, total.images, orDash(total.gbSeconds), orDash(total.cost), ''],
    ]),
  )
}
