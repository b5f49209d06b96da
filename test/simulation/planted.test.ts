import { runSeeds } from './run-seeds'
import { simulate } from './simulate'

/*
 * Bugs that are put into the core, each of which the simulation has to find. Each is a module that wraps another one.
 */

const store = 'test/simulation/store/bucket'
const batch = 'src/batch/state/batch'
const decide = 'src/batch/running/decide'

/** More seeds than any of them needs. */
const seeds = 1_200

describe('planted bugs', () => {
  it.each([
    ['no-if-match', store],
    ['conflict-is-success', store],
    ['epoch-not-checked', batch],
    ['nudge-dropped', batch],
    ['overdue-not-sent-again', decide],
    ['last-key-of-a-page', store],
    ['one-part-missing', decide],
    ['older-version-wins', 'src/batch/records/merge'],
    ['released-before-the-last-write', 'src/batch/running/publish'],
  ])(
    '%s is found',
    async (name, module) => {
      const found = await runSeeds(1, seeds, { module, by: `test/simulation/planted/${name}` }, 1)
      const [first] = found.failed
      process.stdout.write(`${name}: seed ${first?.seed}: ${first?.complaints[0]?.slice(0, 150)}\n`)
      expect(found.failed).not.toEqual([])
      // What finds it, finds nothing else.
      if (first) expect((await simulate(first.seed)).complaints).toEqual([])
    },
    600_000,
  )
})
