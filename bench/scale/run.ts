// Runs one simulation in its own process, whose memory is part of the report. Prints JSON.

import { log } from '../../src/log'
import { peakBytes } from '../../test/helpers/memory'
import { runBatch } from './batch'
import { runBurst } from './burst'
import type { ScaleOptions } from './world'

/** A simulation to run. */
export type Order = { options: ScaleOptions } & (
  | { kind: 'batch'; chunkSize?: number }
  | { kind: 'burst'; within: number }
)

async function main(): Promise<void> {
  log.level = 'silent'
  const order = JSON.parse(process.argv[2] ?? '') as Order
  const { options } = order
  const report =
    order.kind === 'batch' ? await runBatch(options, order.chunkSize) : await runBurst(options, order.within)
  const seconds = process.cpuUsage().user / 1e6
  process.stdout.write(JSON.stringify({ ...report, peak: peakBytes(), seconds }))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
