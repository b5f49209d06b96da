import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { type Ended, endedBefore, removeBatch } from '../batch/reports/prune'
import { systemClock } from '../clock'
import { InvalidInputError } from '../errors'
import type { Bucket } from '../storage/store'
import { columns } from './shared/columns'
import { needStore, resolveConnection, type StoreFlags, storeOptions } from './shared/connection'
import { age } from './shared/options'
import { exitCode, note, type OutputOptions, outputOptions, plural, print, printJson } from './shared/output'
import { startProgress } from './shared/progress'

interface PruneOptions extends StoreFlags, OutputOptions {
  olderThan: number
  yes?: boolean
  dryRun?: boolean
}

/** `whisklens prune`. */
export function register(program: Command): void {
  const command = program
    .command('prune')
    .description('delete the results of old batches')
    .requiredOption('--older-than <age>', 'age of the batches: 12h, 30d, 8w', age)
    .option('--yes', 'do not ask for confirmation')
    .option('--dry-run', 'only list what would be deleted')
  storeOptions(outputOptions(command, 'print a JSON object per batch, one per line'))
    .addHelpText(
      'after',
      `
Deletes batches/<id>/ of all batches that ended earlier than that, uploads included. Open batches stay. The latest record
of every image stays, so that unchanged images are not classified again. An interrupted prune is finished by the next one.

Examples:
  whisklens prune --older-than 30d --dry-run
  whisklens prune --older-than 8w --yes`,
    )
    .action(run)
}

async function run(options: PruneOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  const time = Date.now() - options.olderThan
  if (!options.dryRun && !options.yes && !canAsk()) {
    throw new InvalidInputError('confirmation_needed', 'Cannot ask for confirmation without a terminal', {
      hint: 'Add --yes to delete the batches, or --dry-run to list them.',
    })
  }
  const found = await endedBefore(results, time)
  if (found.length === 0) return note(`No batch ended before ${new Date(time).toISOString()}`, options)
  if (options.json && options.dryRun) return printAll(found)
  if (!options.json) await print(tableOf(found))
  if (options.dryRun) return note(`${plural(found.length, 'batch', 'batches')} would be deleted`, options)
  if (options.yes || (await ask(`Delete ${plural(found.length, 'batch', 'batches')}?`)))
    return removeAll(results, found, time, options)
  note('Nothing was deleted', options)
  process.exitCode = exitCode.failed
}

async function printAll(found: Ended[]): Promise<void> {
  for (const batch of found) await printJson({ ...batch, removed: false })
}

const tableOf = (found: Ended[]): string =>
  columns([
    ['batch', 'state', 'images', 'ended (UTC)'],
    ...found.map(({ batch, state, images, endedAt }) => [batch, state, images, endedAt.slice(0, 19)]),
  ])

const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/** Asks on the terminal. Anything but yes, or the end of the input, is a no. */
async function ask(question: string): Promise<boolean> {
  // Not in terminal mode: Ctrl-C stays a signal.
  const lines = createInterface({ input: process.stdin, terminal: false })
  process.stderr.write(`${question} [y/N] `)
  const answer = await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [''])])
  lines.close()
  return /^y(es)?$/i.test(String(answer[0]).trim())
}

async function removeAll(
  results: Bucket,
  found: Ended[],
  time: number,
  options: PruneOptions,
): Promise<void> {
  const activation = { id: `prune-${randomUUID()}` }
  const context = { results, clock: systemClock, random: Math.random, activation }
  const progress = startProgress('batches', options)
  const counts = { removed: 0, left: 0, objects: 0 }
  try {
    for (const ended of found) {
      const objects = await removeBatch(context, ended.batch, time)
      counts[objects === undefined ? 'left' : 'removed']++
      counts.objects += objects ?? 0
      if (options.json) await printJson({ ...ended, removed: objects !== undefined, objects })
      progress.update({ done: counts.removed + counts.left, total: found.length, errors: 0 })
    }
  } finally {
    progress.stop()
  }
  const left = counts.left > 0 ? `; kept ${counts.left} in use` : ''
  note(
    `Deleted ${plural(counts.removed, 'batch', 'batches')}, ${plural(counts.objects, 'object')}${left}`,
    options,
  )
}
