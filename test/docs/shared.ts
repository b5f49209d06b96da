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

/* Shared by all pages: the installed package, and the programs that commands call. */

/** Environment variable with the folder, inherited by Jest's workers. */
const variable = 'WHISKLENS_DOCS_FOLDER'

export function sharedFolder(): string {
  const folder = process.env[variable]
  if (!folder) throw new Error('The pages of the docs are run by: npm run test:docs')
  return folder
}

export const programOf = (shared: string): string =>
  join(shared, 'node_modules', 'whisklens', 'bin', 'whisklens.js')

/** PATH that starts with the programs for pages. */
export const pathOf = (shared: string): string => [join(shared, 'bin'), process.env.PATH].join(delimiter)

/** Creates the shared folder. */
export function prepareShared(): void {
  const shared = realpathSync(mkdtempSync(join(tmpdir(), 'whisklens-docs-')))
  process.env[variable] = shared
  installPackage(shared)
  copyStock(shared)
  writePrograms(shared)
  compilePrograms(shared)
}

export const removeShared = (): void => rmSync(sharedFolder(), { recursive: true, force: true })

/**
 * Builds the zips for `deploy --stock` if they are missing or stale. It takes seconds, and pages would do it
 * concurrently.
 */
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
  // Free ports by default, because pages run in parallel.
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
  // Only checks the lock file: `npm ci` would delete node_modules during the tests.
  writeProgram(
    join(bin, 'npm'),
    `[ "$1" != ci ] || { cd '${root}' && set -- ci --dry-run; }
exec '${installed('npm')}' "$@"`,
  )
  // Redirects the default ports in the docs to those of the page's local mode.
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
