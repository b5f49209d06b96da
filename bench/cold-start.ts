import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startActionProcess } from '../test/helpers/action-process'

/*
 * How long it takes from the start of a container to its first label: a fresh process, an empty folder, the zip that is
 * deployed to stock nodejs:20, one photo. What a platform needs for starting a container comes on top.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
})

const root = join(__dirname, '..')
const zip = join(root, 'dist', 'stock', 'classify.zip')

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

/** Milliseconds from the start to the end of each step. */
interface Taken {
  process: number
  init: number
  firstLabel: number
}

async function start(code: string, image: string): Promise<Taken> {
  const began = performance.now()
  const since = () => Math.round(performance.now() - began)
  const action = await startActionProcess()
  try {
    const process = since()
    await action.init(code)
    const init = since()
    const { results } = (await action.run({ image })) as { results?: { className: string }[] }
    if (!results?.[0]?.className.includes('espresso')) throw new Error('The photo was not classified')
    return { process, init, firstLabel: since() }
  } finally {
    await action.stop()
  }
}

async function main(): Promise<void> {
  if (!existsSync(zip)) throw new Error('There is no dist/stock/classify.zip: npm run build makes it')
  const code = readFileSync(zip).toString('base64')
  const image = readFileSync(join(root, 'samples', 'coffee.jpg')).toString('base64')
  const rounds: Taken[] = []
  for (let round = 0; round < Number(values.rounds); round++) rounds.push(await start(code, image))
  const step = (name: keyof Taken) => median(rounds.map((taken) => taken[name]))
  const found = { process: step('process'), init: step('init'), firstLabel: step('firstLabel') }
  const machine = { cores: availableParallelism(), load: loadavg()[0] }
  if (values.json) {
    console.log(JSON.stringify({ median: found, rounds, ...machine }))
    return
  }
  console.log(`${rounds.length} cold starts, medians since the start of the process, milliseconds`)
  console.log(`process answers   ${found.process}`)
  console.log(`code is loaded    ${found.init}`)
  console.log(`first label       ${found.firstLabel}`)
  console.log(`${machine.cores} cores, load ${machine.load?.toFixed(1)}`)
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
