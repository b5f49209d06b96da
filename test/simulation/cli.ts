import { Command } from 'commander'
import { runSeeds, tellSeeds } from './run-seeds'
import { simulate } from './simulate'

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`Expected a whole number from 1 on, not ${text}`)
  return value
}

new Command('simulate')
  .description(
    'runs the batch core in seeded simulations; of the first seed that fails, prints what happened',
  )
  .option('--seeds <n>', 'how many', whole, 2_000)
  .option('--from <seed>', 'the first one', whole, 1)
  .option('--trace', 'prints what happened in the first seed, whether it fails or not')
  .action(async ({ seeds, from, trace }: { seeds: number; from: number; trace?: boolean }) => {
    const found = trace ? undefined : await runSeeds(from, seeds)
    if (found) process.stdout.write(tellSeeds(found, from))
    const shown = trace ? from : found?.failed[0]?.seed
    if (shown === undefined) return
    const report = await simulate(shown, { keepsTrace: true })
    process.stdout.write(
      `${report.trace.join('\n')}\nseed ${shown}: ${report.complaints.join('\n') || 'well'}\n`,
    )
    if (report.complaints.length > 0) process.exitCode = 1
  })
  .parseAsync()
  .catch((thrown) => {
    console.error(thrown)
    process.exitCode = 1
  })
