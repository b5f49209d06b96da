// Runs seeds in a process of its own. Arguments: first seed, how many, step, failures that are
// enough. Prints what came of them, as JSON.

import { type Report, simulate } from './simulate'

/** What some seeds came to, all together. */
export interface Seeds {
  seeds: number
  calls: number
  events: number
  /** How often each kind of fault happened, and what else is to happen at least once. */
  counts: Record<string, number>
  /** CPU time of a seed, milliseconds. */
  each: number
  failed: Pick<Report, 'seed' | 'complaints'>[]
}

async function main(): Promise<void> {
  // Errors are part of each seed, and few are ever shown; `npm run simulate` shows the stack of one that is unexpected.
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
