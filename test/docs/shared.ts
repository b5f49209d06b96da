import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { buildSync } from 'esbuild'
import { writeProgram } from '../helpers/example-folder'
import { installed } from '../helpers/installed'
import { installPackage } from '../helpers/installed-package'
import { buildStock, stockMissing, stockZip } from '../helpers/stock-zip'
import { root } from './pages'
import { compilePrograms } from './programs'

/*
 * What all pages share: the built package, installed, and the programs that their commands call.
 */

/** Workers read it from the environment, which they inherit. */
const variable = 'WHISKLENS_DOCS_FOLDER'

export function sharedFolder(): string {
  const folder = process.env[variable]
  if (!folder) throw new Error('The pages of the docs are run by: npm run test:docs')
  return folder
}

export const programOf = (shared: string): string =>
  join(shared, 'node_modules', 'whisklens', 'bin', 'whisklens.js')

/** PATH with the programs of pages before everything else. */
export const pathOf = (shared: string): string => [join(shared, 'bin'), process.env.PATH].join(delimiter)

/** Makes the shared folder. */
export function prepareShared(): void {
  const shared = realpathSync(mkdtempSync(join(tmpdir(), 'whisklens-docs-')))
  process.env[variable] = shared
  installPackage(shared)
  copyStock(shared)
  writePrograms(shared)
  compilePrograms(shared)
}

export const removeShared = (): void => rmSync(sharedFolder(), { recursive: true, force: true })

/** `deploy --stock` makes zips, which takes seconds, where there are none of this build: pages would make them at the same time. */
function copyStock(shared: string): void {
  if (stockMissing) return
  const dateOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (dateOf(stockZip) < dateOf(join(root, 'dist', 'actions', 'classify.zip'))) buildStock()
  cpSync(dirname(stockZip), join(shared, 'node_modules', 'whisklens', 'dist', 'stock'), { recursive: true })
}

function writePrograms(shared: string): void {
  const bin = join(shared, 'bin')
  mkdirSync(bin)
  const node = `exec '${process.execPath}'`
  // On free ports, as other pages are run at the same time.
  const ours = join(shared, 'node_modules', '.bin', 'whisklens')
  mkdirSync(dirname(ours))
  writeProgram(
    ours,
    `case "$*" in
  *port*) ;;
  up | 'up '*) shift; set -- up --port 0 "$@" ;;
esac
${node} '${programOf(shared)}' "$@"`,
  )
  symlinkSync(ours, join(bin, 'whisklens'))
  // The lock file is checked; installing would take the folder from under the tests.
  writeProgram(
    join(bin, 'npm'),
    `[ "$1" != ci ] || { cd '${root}' && set -- ci --dry-run; }
exec '${installed('npm')}' "$@"`,
  )
  // Addresses of the docs have the ports of a local mode that runs alone.
  writeProgram(
    join(bin, 'curl'),
    `host() { sed -n 's/.*"'"$1"'":"http:..\\([0-9.:]*\\)".*/\\1/p' "$DOCS_FOLDER/.whisklens/connection.json"; }
exec '${installed('curl')}' --connect-to "127.0.0.1:3233:$(host apiHost)" --connect-to "127.0.0.1:9000:$(host endpoint)" "$@"`,
  )
  if (installed('wsk')) return
  const standIn = join(shared, 'wsk.js')
  buildSync({
    entryPoints: [join(__dirname, 'wsk.ts')],
    outfile: standIn,
    bundle: true,
    platform: 'node',
    logLevel: 'error',
  })
  writeProgram(join(bin, 'wsk'), `${node} '${standIn}' "$@"`)
}
