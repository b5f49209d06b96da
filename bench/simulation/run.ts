// One simulation in a process of its own, for its memory is part of the report. Prints JSON.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  // Gigabytes, which must not stay behind when it is interrupted.
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-simulation-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const start = process.hrtime.bigint()
  const batches = await simulate(JSON.parse(process.argv[2] ?? '') as SimulationOptions, folder)
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  console.log(JSON.stringify({ batches, peak: peakBytes(), seconds } satisfies RunReport))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
