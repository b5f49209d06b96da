// Tries crash points in a process of its own. Arguments: first request, last one, step. Prints what came of them, as JSON.

import { crashAt, type Points } from './crash-points'

async function main(): Promise<void> {
  const [from = 1, to = 0, step = 1] = process.argv.slice(2).map(Number)
  const found: Points = { points: 0, firesLost: 0, again: 0, failed: [] }
  for (let call = from; call <= to; call += step) {
    for (const when of ['before', 'after', 'unanswered'] as const) {
      const { complaints, crashed, isFireLost, again } = await crashAt({ call, when })
      found.points++
      found.firesLost += Number(isFireLost)
      found.again += again
      if (complaints.length > 0) found.failed.push({ call, when, crashed, complaints })
    }
  }
  process.stdout.write(JSON.stringify(found))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
