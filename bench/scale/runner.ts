import { bundle } from '../../test/helpers/bundle'
import type { BatchReport } from './batch'
import type { BurstReport } from './burst'
import { measured } from './calls'
import type { Order } from './run'
import type { ScaleOptions } from './world'

/** Defaults: a server with standard limits, and as many containers as they allow. */
export const usual: Omit<ScaleOptions, 'images'> = {
  limits: { invocationsPerMinute: 60, concurrentInvocations: 30, firesPerMinute: 60 },
  containers: 30,
  coldStart: 3_000,
  imageMs: 40,
  chunkMs: 20,
  calls: measured,
}

/** Effectively no limits. */
export const unlimited = {
  invocationsPerMinute: 60_000,
  concurrentInvocations: 5_000,
  firesPerMinute: 60_000,
}

/** A report with the resources of the simulation itself: peak memory, bytes, and CPU time, seconds. */
export type Measured<T> = T & { peak: number; seconds: number }

/**
 * Limits V8's heap: without a limit, it collects garbage late and takes what memory it can get. Each container holds the records of its
 * images.
 */
const flagsFor = ({ containers }: ScaleOptions): string[] => [
  `--max-old-space-size=${160 + Math.max(0, containers - 30) * 3}`,
]

/** Timeout, milliseconds: ten million images take long. */
const longest = 4 * 3_600_000

export interface Runner {
  batch(options: ScaleOptions, chunkSize?: number): Promise<Measured<BatchReport>>
  /** @param within milliseconds from the first upload to the last */
  burst(options: ScaleOptions, within: number): Promise<Measured<BurstReport>>
  close(): void
}

/** Runs simulations, each in its own process. */
export async function openRunner(): Promise<Runner> {
  const made = await bundle('bench/scale/run.ts', { keepNames: false })
  const run = async <T>(order: Order): Promise<Measured<T>> => {
    const { exitCode, stdout, stderr } = await made.run(
      [JSON.stringify(order)],
      {},
      flagsFor(order.options),
      longest,
    )
    if (exitCode !== 0) throw new Error(`The simulation of ${order.options.images} images failed:\n${stderr}`)
    return JSON.parse(stdout)
  }
  return {
    batch: (options, chunkSize) => run({ kind: 'batch', options, chunkSize }),
    burst: (options, within) => run({ kind: 'burst', options, within }),
    close: () => made.remove(),
  }
}
