import { faultKinds } from './faults'
import { openRunner, type Planted, type Runner } from './runner'
import type { Seeds } from './seeds'

/** Runs seeds on all cores until some have failed. */
export async function runSeeds(from: number, count: number): Promise<Seeds> {
  const runner = await openRunner('seeds.ts')
  try {
    return await runOn(runner, from, count, maxFailures)
  } finally {
    runner.close()
  }
}

/** Failures per process after which it stops. */
const maxFailures = 5

/** Small, because most planted bugs are found at once. */
const initialCount = 50

/** The first seed from 1 that finds a planted bug, if any. */
export async function firstFailure(
  planted: Planted,
  max: number,
): Promise<Seeds['failed'][number] | undefined> {
  const runner = await openRunner('seeds.ts', planted)
  try {
    for (let from = 1, count = initialCount; from <= max; from += count, count = from) {
      const { failed } = await runOn(runner, from, Math.min(count, max - from + 1), 1)
      if (failed[0]) return failed[0]
    }
    return undefined
  } finally {
    runner.close()
  }
}

/** @param enough failures after which a process stops */
const runOn = async (runner: Runner, from: number, count: number, enough: number): Promise<Seeds> =>
  sumOf(
    await runner.run<Seeds>((worker, workers) => [
      from + worker,
      Math.ceil((count - worker) / workers),
      workers,
      enough,
    ]),
  )

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

/** Formats the outcome of seeds. */
export function formatSeeds({ seeds, calls, counts, each, failed }: Seeds, from: number): string {
  const lines = [
    `${seeds} seeds from ${from}: ${calls} requests, ${each.toFixed(1)} ms of CPU time each, ${failed.length} failed`,
    ...Object.entries(counts).map(([kind, times]) => `  ${kind}: ${times}`),
    ...failed.flatMap(({ seed, complaints }) => [
      `seed ${seed}: ${complaints.join('\n  ')}`,
      `  to reproduce: npm run simulate -- --seeds 1 --from ${seed} --trace`,
    ]),
  ]
  return `${lines.join('\n')}\n`
}
