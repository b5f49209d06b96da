import { faultKinds } from './faults'
import { openRunner, type Planted } from './runner'
import type { Seeds } from './seeds'

/** Runs seeds on all cores. @param planted a fault that they are to find @param most failures that are enough */
export async function runSeeds(from: number, count: number, planted?: Planted, most = 5): Promise<Seeds> {
  const runner = await openRunner('seeds.ts', planted)
  try {
    return sumOf(
      await runner.run<Seeds>((worker, workers) => [
        from + worker,
        Math.ceil((count - worker) / workers),
        workers,
        most,
      ]),
    )
  } finally {
    runner.close()
  }
}

function sumOf(all: Seeds[]): Seeds {
  const counts: Record<string, number> = Object.fromEntries(faultKinds.map((kind) => [kind, 0]))
  for (const one of all)
    for (const [name, times] of Object.entries(one.counts)) counts[name] = (counts[name] ?? 0) + times
  const sum = (of: (one: Seeds) => number) => all.reduce((before, one) => before + of(one), 0)
  return {
    seeds: sum(({ seeds }) => seeds),
    calls: sum(({ calls }) => calls),
    events: sum(({ events }) => events),
    counts,
    each: sum(({ each }) => each) / all.length,
    failed: all.flatMap(({ failed }) => failed).sort((a, b) => a.seed - b.seed),
  }
}

/** What came of seeds, for people. */
export function tellSeeds({ seeds, calls, counts, each, failed }: Seeds, from: number): string {
  const lines = [
    `${seeds} seeds from ${from}: ${calls} requests, ${each.toFixed(1)} ms of CPU time each, ${failed.length} failed`,
    ...Object.entries(counts).map(([kind, times]) => `  ${kind}: ${times}`),
    ...failed.map(({ seed, complaints }) => `seed ${seed}: ${complaints.join('\n  ')}`),
  ]
  return `${lines.join('\n')}\n`
}
