import { type Command, Option } from 'commander'
import { querySchema } from '../../batch/reports/query'
import type { RecordFilter } from '../../library/types/deployment'
import { matching } from '../shared/options'

/** Which records are printed. */
export type FilterOptions = Omit<RecordFilter, 'modelLabels'>

const { minProbability, maxProbability, takenSince, takenUntil } = querySchema.shape
const expectedProbability = 'Expected a number from 0 to 1.'

const added = (name: string, names: string[] = []): string[] => [...names, name]

/** Adds the filters of the records of a batch to a command: what the action `results` and programs have as well. */
export const filterOptions = (command: Command): Command =>
  command
    .option('--label <text>', 'only images whose top label contains the text, or is a kind of it')
    .option(
      '--label-is <label>',
      'only images with exactly this top label; give it several times for several labels',
      added,
    )
    .option('--search <text>', 'only images with the text in their key, top label, or what that is a kind of')
    .addOption(new Option('--status <status>', 'only records with this status').choices(['ok', 'error']))
    .option('--code <code>', 'only errors with this code, such as image_corrupt')
    .option('--prefix <prefix>', 'only keys with this prefix')
    .option(
      '--min-probability <p>',
      'only images whose top label has at least this probability, 0–1',
      matching(minProbability, expectedProbability),
    )
    .option(
      '--max-probability <p>',
      'only images whose top label has at most this probability, 0–1',
      matching(maxProbability, expectedProbability),
    )
    .option(
      '--taken-since <date>',
      "only photos taken since then by the camera's clock: 2026, 2026-05, 2026-05-31, 2026-05-31T18:00",
      matching(takenSince),
    )
    .option(
      '--taken-until <date>',
      'only photos taken until then, including all of that day, month or year',
      matching(takenUntil),
    )
    .option('--camera <text>', 'only photos whose camera contains the text')
