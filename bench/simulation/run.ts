// One simulation in a process of its own, for its memory is part of the report. Prints JSON.

import { log } from '../../src/log'
import { peakBytes } from '../../test/helpers/memory'
import { type BatchReport, type SimulationOptions, simulate } from './simulate'

/** What one simulation came to. */
export interface RunReport {
  batches: BatchReport[]
  /** The most physical memory the whole process had, bytes: store, platform and all actions. */
  peak: number
  /** Of real time. */
  seconds: number
}

async function main(): Promise<void> {
  log.level = 'silent'
  const start = process.hrtime.bigint()
  const batches = await simulate(JSON.parse(process.argv[2] ?? '') as SimulationOptions)
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  console.log(JSON.stringify({ batches, peak: peakBytes(), seconds } satisfies RunReport))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
