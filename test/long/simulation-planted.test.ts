import { firstFailure } from '../simulation/run-seeds'
import { simulate } from '../simulation/simulate'

/*
 * Bugs that are put into the core, each of which the simulation has to find. Each is a module that wraps another one.
 */

const store = 'test/simulation/store/bucket'
const batch = 'src/batch/state/batch'
const decide = 'src/batch/running/decide'

/** More seeds than any of them needs. */
const maxSeeds = 2_000

const planted = [
  ['no-if-match', store],
  ['conflict-is-success', store],
  ['own-write-is-a-conflict', 'src/storage/compare-and-swap'],
  ['epoch-not-checked', batch],
  ['nudge-dropped', batch],
  ['overdue-not-sent-again', decide],
  ['last-key-of-a-page', store],
  ['one-part-missing', decide],
  ['older-version-wins', 'src/batch/records/merge'],
  ['listed-twice', 'src/batch/planning/list-sort'],
  ['released-before-the-last-write', 'src/batch/running/publish'],
  ['message-not-stored', 'src/batch/running/webhook'],
]

it.each(planted)(
  'the planted bug %s is found',
  async (name, module) => {
    const first = await firstFailure({ module, by: `test/simulation/planted/${name}` }, maxSeeds)
    process.stdout.write(`${name}: seed ${first?.seed}: ${first?.complaints[0]?.slice(0, 150)}\n`)
    expect(first).toBeDefined()
    // What finds it, finds nothing else.
    if (first) expect((await simulate(first.seed)).complaints).toEqual([])
  },
  900_000,
)
