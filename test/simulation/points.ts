// Tries crash points in a separate process. Arguments: first request, step. Prints the outcome as JSON.

import { crashAt, type Points } from './crash-points'

async function main(): Promise<void> {
  const [from = 1, step = 1] = process.argv.slice(2).map(Number)
  const whole = await crashAt(undefined)
  const found: Points = { whole, points: 0, firesLost: 0, again: 0, lost: 0, twice: 0, failed: [] }
  for (let call = from; call <= whole.calls; call += step) {
    for (const when of ['before', 'after', 'unanswered'] as const) {
      const { complaints, crashed, isFireLost, again, lost, twice } = await crashAt({ call, when })
      found.points++
      found.firesLost += Number(isFireLost)
      found.again += again
      found.lost += lost
      found.twice += twice
      if (complaints.length > 0) found.failed.push({ call, when, crashed, complaints })
    }
  }
  process.stdout.write(JSON.stringify(found))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
