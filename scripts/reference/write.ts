import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { actionsPage } from './actions'
import { cliPage } from './cli'
import { errorsPage } from './errors'
import { httpPage } from './http'
import { recordsPage } from './records'
import { settingsPage } from './settings'

/*
 * `npm run reference`: writes docs/reference.
 */

export const referenceFolder = join(__dirname, '..', '..', 'docs', 'reference')

/** Generators of the pages, by file name. */
export const referencePages: Record<string, () => string | Promise<string>> = {
  'settings.md': settingsPage,
  'actions.md': actionsPage,
  'records.md': recordsPage,
  'http.md': httpPage,
  'cli.md': cliPage,
  'errors.md': errorsPage,
}

async function write(): Promise<void> {
  mkdirSync(referenceFolder, { recursive: true })
  for (const [name, text] of Object.entries(referencePages))
    writeFileSync(join(referenceFolder, name), await text())
}

if (require.main === module) void write()
