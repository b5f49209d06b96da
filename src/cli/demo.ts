import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { readResults } from '../batch/reports/results'
import { uploadsBatch } from '../batch/uploads/day'
import { settingsFromEnvironment } from '../config'
import { InvalidInputError, StorageError, WhisklensError } from '../errors'
import { followBatch, type PriorRun, progressOf } from '../library/batches/follow'
import { generousLimits } from '../local/host/limits'
import { type Local, startLocal } from '../local/up'
import { connect } from '../openwhisk/client'
import { homeFolder } from '../paths'
import type { BatchSummary, ImageRecord } from '../schema'
import { type Bucket, openStore } from '../storage/store'
import { columns } from './shared/columns'
import { exitCodeOfBatches, next, percent, printable } from './shared/output'
import { startProgress } from './shared/progress'

interface DemoOptions {
  data: string
  json?: boolean
  quiet?: boolean
}

const timeout = 120_000

/** `whisklens demo`. */
export function register(program: Command): void {
  program
    .command('demo')
    .description('run the whole system on eight sample photos')
    .option('--data <folder>', 'folder for its state; emptied first', join('.whisklens', 'demo'))
    .option('--json', 'print only the summary of the batch and its records, one per line')
    .option('--quiet', 'print only the result')
    .addHelpText(
      'after',
      `
Needs no running server and no configuration, and stops everything it started.

Examples:
  whisklens demo
  whisklens demo --json | jq -c 'select(.key) | [.key, .labels[0].label]'`,
    )
    .action(run)
}

async function run(options: DemoOptions): Promise<void> {
  const say = (text: string): void => {
    if (!options.quiet) process.stderr.write(`${text}\n`)
  }
  const started = Date.now()
  const dataDir = resolve(options.data)
  await emptyFolder(dataDir)
  say('Starting an object store and an OpenWhisk API on this machine …')
  const local = await startLocal({ dataDir, apiPort: 0, storePort: 0, limits: generousLimits })
  try {
    say(`Deployed manifest.yaml: ${local.deployed.length} entities.`)
    const { summary, records } = await classifySamples(local, say, options)
    const folder = join(dataDir, 'results')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    await writeFile(
      join(folder, 'results.jsonl'),
      records.map((record) => `${JSON.stringify(record)}\n`).join(''),
    )
    if (options.json)
      for (const line of [summary, ...records]) process.stdout.write(`${JSON.stringify(line)}\n`)
    else process.stdout.write(report(summary, records, folder))
    process.exitCode = exitCodeOfBatches([summary])
    say(`Took ${((Date.now() - started) / 1000).toFixed(1)} s`)
    next('whisklens up   # then upload photos of your own', options)
  } finally {
    await local.close()
  }
}

/** Marks a folder that the demo created and may empty. */
const marker = '.whisklens-demo'

async function emptyFolder(folder: string): Promise<void> {
  const names: string[] = await readdir(folder).catch(() => [])
  if (names.length > 0 && !names.includes(marker)) {
    throw new InvalidInputError('already_exists', `${folder} is not empty and was not created by the demo`, {
      hint: 'Choose another folder with --data.',
    })
  }
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, marker), '')
}

async function classifySamples({ connection }: Local, say: (text: string) => void, options: DemoOptions) {
  const { endpoint, region, accessKeyId, secretAccessKey } = connection.s3
  const store = openStore({
    ...settingsFromEnvironment(),
    s3Endpoint: endpoint,
    s3Region: region,
    s3AccessKeyId: accessKeyId,
    s3SecretAccessKey: secretAccessKey,
    s3SessionToken: undefined,
  })
  const results = store.bucket(connection.resultsBucket)
  const since = new Date()
  const photos = await uploadSamples(store.bucket(connection.imagesBucket))
  say(`Uploaded ${photos} photos; each upload fires the trigger image-uploaded …`)
  await until('results of the uploads', async () => (await uploadedRecords(results, since)) >= photos)
  say(`All ${photos} were classified on arrival.`)
  const openwhisk = connect(connection)
  say('Firing batch-requested to classify them all again …')
  await openwhisk.fire('batch-requested', { batch: 'demo', force: true })
  const summary = await followDemo(results, options)
  const records: ImageRecord[] = []
  for await (const record of readResults(results, 'demo')) records.push(record)
  return { summary, records }
}

async function followDemo(results: Bucket, options: DemoOptions): Promise<BatchSummary> {
  const progress = startProgress('images', options)
  const never: PriorRun = { run: 0, isOpen: false }
  try {
    return await followBatch(results, 'demo', never, {
      onProgress: (summary, found) => progress.update(progressOf(summary, found)),
      startsWithin: timeout,
      changesWithin: timeout,
    })
  } finally {
    progress.stop()
  }
}

async function uploadSamples(images: Bucket): Promise<number> {
  const folder = join(homeFolder(), 'samples')
  const photos = (await readdir(folder)).filter((name) => name.endsWith('.jpg'))
  await Promise.all(
    photos.map(async (name) =>
      images.put(`samples/${name}`, await readFile(join(folder, name)), { contentType: 'image/jpeg' }),
    ),
  )
  return photos.length
}

/** Counts records of the uploads; around midnight UTC they are in two batches. */
async function uploadedRecords(results: Bucket, since: Date): Promise<number> {
  const days = new Set([since, new Date()].map((day) => uploadsBatch(day.toISOString())))
  let count = 0
  for (const day of days) {
    try {
      for await (const _ of readResults(results, day)) count++
    } catch (thrown) {
      if (!(thrown instanceof StorageError && thrown.code === 'batch_not_found')) throw thrown
    }
  }
  return count
}

/** Polls until a value is found. @param atMost milliseconds @throws WhisklensError `demo_timeout` */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  atMost = timeout,
): Promise<T> {
  for (const end = Date.now() + atMost; Date.now() < end; await sleep(200)) {
    const found = await check()
    if (found) return found
  }
  throw new WhisklensError('demo_timeout', `Timed out after ${atMost / 1000} s waiting for ${what}`)
}

function report(summary: BatchSummary, records: ImageRecord[], folder: string): string {
  const rows = records.map(({ key, labels: [top, ...others], error }) => {
    const also = others.slice(0, 2).map(({ label, probability }) => `${label} ${percent(probability)}`)
    const probability = top ? percent(top.probability) : ''
    return [key, top?.label ?? error?.code ?? '', probability, also.join(', ')].map(printable)
  })
  const { totals, model, engine, timings } = summary
  const { download, decode, infer } = timings.p50
  return `${columns([['photo', 'label', 'probability', 'also'], ...rows])}
${totals.ok} classified, ${totals.error} in error, of ${totals.planned} planned; ${model} on ${engine}
median per image: download ${download} ms, decode ${decode} ms, inference ${infer} ms
JSON: ${relative('.', join(folder, 'summary.json'))} and ${relative('.', join(folder, 'results.jsonl'))}
`
}
