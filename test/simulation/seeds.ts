// Runs seeds in a separate process. Arguments: first seed, count, step, maximum of failures. Prints the outcome as
// JSON.

import { type Report, simulate } from './simulate'

/** The combined outcome of some seeds. */
export interface Seeds {
  seeds: number
  calls: number
  events: number
  /** Number of faults of each kind, and of other events that must occur at least once. */
  counts: Record<string, number>
  /** CPU time per seed, milliseconds. */
  each: number
  failed: Pick<Report, 'seed' | 'complaints'>[]
}

async function main(): Promise<void> {
  // Seeds create many errors and few are shown; `npm run simulate` shows the stack of an unexpected one.
  Error.stackTraceLimit = 0
  const [from = 1, count = 1, step = 1, maxFailed = 5] = process.argv.slice(2).map(Number)
  const found: Seeds = { seeds: 0, calls: 0, events: 0, counts: {}, each: 0, failed: [] }
  const bump = (name: string, times: number) => {
    found.counts[name] = (found.counts[name] ?? 0) + times
  }
  for (let index = 0; index < count && found.failed.length < maxFailed; index++) {
    const { seed, complaints, fired, refused, isClosedTwice, calls, events } = await simulate(
      from + index * step,
    )
    found.seeds++
    found.calls += calls
    found.events += events
    for (const [kind, times] of Object.entries(fired)) bump(kind, times)
    bump('refused by limits', refused)
    bump('closed twice', Number(isClosedTwice))
    if (complaints.length > 0) found.failed.push({ seed, complaints })
  }
  found.each = process.cpuUsage().user / 1000 / Math.max(1, found.seeds)
  process.stdout.write(JSON.stringify(found))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
