import { resultsKey, summaryKey } from '../../src/batch/state/layout'
import { type BatchSummary, type ImageRecord, summarySchema } from '../../src/schema'
import { installClock, installRandom, VirtualClock } from './clock'
import type { Files } from './files'
import { keyOf, prefix } from './images'
import type { Requests } from './meter'
import { type Happened, nothingHappened } from './openwhisk'
import { Process } from './process'
import { linesOf } from './store'
import { createWorld, type World, type WorldOptions } from './world'

export interface SimulationOptions extends WorldOptions {
  chunkSize?: number
  /** Whether another batch over the same images follows. */
  again?: boolean
  /** When a batch is given up, milliseconds of virtual time. */
  within?: number
}

/** What became of one batch. */
export interface BatchReport extends Happened {
  /** From firing `batch-requested` to `batch-completed`, milliseconds of virtual time; none when it was given up. */
  duration?: number
  totals: BatchSummary['totals']
  requests: Requests
}

/**
 * Has the code of the actions do a batch over images that are only names, by a clock that waits for nobody. Meant for
 * a process that does nothing else.
 * @param folder for what is stored; the caller's to remove
 * @throws Error when a batch did not end as it must
 */
export async function simulate(options: SimulationOptions, folder: string): Promise<BatchReport[]> {
  const clock = new VirtualClock(Date.parse('2026-11-22T08:00:00Z'))
  const world = await createWorld(options, clock, folder)
  installClock(clock)
  installRandom(1)
  const reports = [await runBatch(world, 'first', options)]
  if (options.again) reports.push(await runBatch(world, 'again', options))
  return reports
}

async function runBatch(world: World, batch: string, options: SimulationOptions): Promise<BatchReport> {
  const { storage, openwhisk } = world
  const { clock, files } = storage
  const { chunkSize, within = Number.POSITIVE_INFINITY } = options
  storage.requests = {}
  openwhisk.happened = nothingHappened()
  const started = clock.now
  const closed = new Promise<number>((resolve) => {
    openwhisk.onFire = (trigger) => trigger === 'batch-completed' && resolve(clock.now)
  })
  const work = async () => {
    await openwhisk.client(new Process()).fire('batch-requested', { batch, prefix, chunkSize })
    const end = await closed
    await openwhisk.settled()
    return end - started
  }
  const duration = await clock.run(work(), started + within).catch((cause) => {
    const seconds = (clock.now - started) / 1000
    throw new Error(`"${batch}" stands still after ${seconds} s: ${JSON.stringify(openwhisk.happened)}`, {
      cause,
    })
  })
  const summary = summarySchema.parse(JSON.parse(files.body(summaryKey(batch)).toString('utf8')))
  if (duration !== undefined) check(files, summary, options.images)
  return { duration, totals: summary.totals, requests: storage.requests, ...openwhisk.happened }
}

/** That every image was done once or left out, and has its line in its place. */
function check(files: Files, { batch, state, totals }: BatchSummary, images: number): void {
  const { planned, skipped, ok, error, pending } = totals
  const adds = state === 'complete' && planned + skipped === images && ok + error === planned && pending === 0
  if (!adds)
    throw new Error(`The batch "${batch}" is ${state} with ${JSON.stringify(totals)} of ${images} images`)
  let line = 0
  for (const text of linesOf(files, resultsKey(batch, 'results.jsonl'))) {
    const { key } = JSON.parse(text) as ImageRecord
    if (key !== keyOf(line)) throw new Error(`Line ${line + 1} is about ${key}, not about ${keyOf(line)}`)
    line++
  }
  if (line !== planned) throw new Error(`There are ${line} results of ${planned} images`)
}
