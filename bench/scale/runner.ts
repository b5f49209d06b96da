import { openwhiskLimits } from '../../src/local/host/limits'
import { bundle } from '../../test/helpers/bundle'
import type { RunReport } from '../simulation/run'
import type { SimulationOptions } from '../simulation/simulate'

/** What is simulated unless told otherwise: a server as it comes, and as many containers as it lets run. */
export const usual: Omit<SimulationOptions, 'images'> = {
  limits: openwhiskLimits,
  containers: openwhiskLimits.concurrentInvocations,
  coldStart: 3000,
  speed: { chunk: 20, image: 40 },
  delays: { request: 10, megabyte: 10 },
}

/** V8 collects garbage when it must, not before: without a limit, a process takes what it can get. */
const flags = ['--max-old-space-size=128']

export interface Runner {
  run(options: SimulationOptions): Promise<RunReport>
  close(): void
}

/** Runs simulations, each in a process of its own. */
export async function openRunner(): Promise<Runner> {
  const made = await bundle('bench/simulation/run.ts')
  return {
    run: async (options) => {
      const { exitCode, stdout, stderr } = await made.run([JSON.stringify(options)], {}, flags)
      if (exitCode !== 0) throw new Error(`The simulation of ${options.images} images failed:\n${stderr}`)
      return JSON.parse(stdout) as RunReport
    },
    close: () => made.remove(),
  }
}
