import type { Command } from 'commander'
import { catalogue } from '../../models/catalogue'
import { type InstalledModel, installedModels } from '../../models/installed'
import { type Libraries, librariesOf } from '../../models/libraries'
import { columns } from '../shared/columns'
import { type OutputOptions, outputOptions, print, printable, printJson } from '../shared/output'

/** A line of `whisklens model list --json`. */
interface Listed extends Libraries {
  id: string
  state: 'box' | 'added' | 'available'
  task?: string
  /** Size of its files; for an available model, of the download. */
  bytes?: number
  license?: string
  about?: string
  version?: string
  problem?: string
}

/** `whisklens model list`. */
export function register(model: Command): void {
  const command = model.command('list').description('list bundled, added and available models')
  outputOptions(command, 'print a JSON object per model, one per line')
    .addHelpText(
      'after',
      `
--model and WHISKLENS_MODEL take the name of a bundled or added model. Some models need an npm package, installed beside
Whisklens.

Examples:
  whisklens model list
  whisklens model list --json | jq -r 'select(.state == "available") | .id'`,
    )
    .action(run)
}

async function run({ json }: OutputOptions): Promise<void> {
  const installed = (await installedModels()).map(listInstalled)
  const here = new Set(installed.map(({ id }) => id))
  const available = catalogue.filter(({ id }) => !here.has(id)).map(listAvailable)
  const all = [...installed, ...available]
  if (json) {
    for (const one of all) await printJson(one)
    return
  }
  await print(columns([['MODEL', 'STATE', 'TASK', 'MB', 'LICENCE', 'ABOUT'], ...all.map(rowOf)]))
}

function listInstalled({ name, origin, read, problem }: InstalledModel): Listed {
  const { description, version, files } = read ?? {}
  return {
    id: name,
    state: origin,
    task: description?.task,
    bytes: files && [...files.values()].reduce((sum, { length }) => sum + length, 0),
    license: description?.license,
    about: description?.description,
    version,
    ...librariesOf(description?.id ?? name),
    problem,
  }
}

const listAvailable = ({ id, task, megabytes, license, about }: (typeof catalogue)[number]): Listed => ({
  id,
  state: 'available',
  task,
  bytes: megabytes * 1e6,
  license,
  about,
  ...librariesOf(id),
})

function rowOf({ id, state, task, bytes, license, about, missing, problem }: Listed): string[] {
  const megabytes = bytes === undefined ? '–' : (bytes / 1e6).toFixed(1)
  const needs = missing.length > 0 ? ` (needs npm install ${missing.join(' ')})` : ''
  const last = problem ? `not valid: ${problem}` : `${about ?? ''}${needs}`
  return [id, state, task ?? '–', megabytes, license ?? '–', last].map(printable)
}
