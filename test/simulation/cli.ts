import { Command } from 'commander'
import { formatSeeds, runSeeds } from './run-seeds'
import { simulate } from './simulate'

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`Expected a whole number of 1 or more, not ${text}`)
  return value
}

new Command('simulate')
  .description('run the batch core in seeded simulations and print the trace of the first failing seed')
  .option('--seeds <n>', 'number of seeds', whole, 2_000)
  .option('--from <seed>', 'first seed', whole, 1)
  .option('--trace', 'print the trace of the first seed, even if it passes')
  .action(async ({ seeds, from, trace }: { seeds: number; from: number; trace?: boolean }) => {
    const found = trace ? undefined : await runSeeds(from, seeds)
    if (found) process.stdout.write(formatSeeds(found, from))
    const shown = trace ? from : found?.failed[0]?.seed
    if (shown === undefined) return
    const report = await simulate(shown, { keepsTrace: true })
    process.stdout.write(
      `${report.trace.join('\n')}\nseed ${shown}: ${report.complaints.join('\n') || 'passed'}\n`,
    )
    if (report.complaints.length > 0) process.exitCode = 1
  })
  .parseAsync()
  .catch((thrown) => {
    console.error(thrown)
    process.exitCode = 1
  })
