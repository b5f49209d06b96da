import { firstFailure } from '../simulation/run-seeds'
import { simulate } from '../simulation/simulate'

/* The simulation must find each of these bugs, planted in the core by modules that wrap the original ones. */

const store = 'test/simulation/store/bucket'
const batch = 'src/batch/state/batch'
const decide = 'src/batch/running/decide'

/** More than enough for each of them. */
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
    // The same seed passes without the bug.
    if (first) expect((await simulate(first.seed)).complaints).toEqual([])
  },
  900_000,
)
