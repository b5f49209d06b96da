import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Block } from './markdown'
import { pagePaths, readPageAt, root, slugOf } from './pages'

/*
 * The programs of all pages are compiled at once, beside the installed package.
 */

const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

const options = [
  '--ignoreConfig',
  ...['--target', 'es2022', '--module', 'node16', '--types', 'node', '--skipLibCheck'],
  ...['--typeRoots', join(root, 'node_modules', '@types')],
  // The root of a page's programs, so that what is emitted keeps its name.
  ...['--rootDir', '.', '--outDir', 'emitted'],
]
const strict = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes']

const isProgram = ({ language }: Block): boolean => language === 'ts' || language === 'js'

/** JavaScript that is left out may be for an image with other packages; types are checked of all TypeScript. */
const isChecked = (block: Block): boolean =>
  isProgram(block) && (block.language === 'ts' || !block.directives.leftOut)

const fileOf = (page: string, { line, language }: Block): string => `${slugOf(page)}-${line}.m${language}`

const diagnosticsFile = (shared: string): string => join(shared, 'programs', 'diagnostics.json')

/** Compiles the programs of pages, strictly where they are TypeScript. What the compiler says is read by {@link diagnosticsOf}. */
export function compilePrograms(shared: string, pages = pagePaths()): void {
  const folder = join(shared, 'programs')
  mkdirSync(folder, { recursive: true })
  const files: Record<'ts' | 'js', string[]> = { ts: [], js: [] }
  for (const page of pages)
    for (const block of readPageAt(page).blocks.filter(isChecked)) {
      writeFileSync(join(folder, fileOf(page, block)), block.text)
      files[block.language as 'ts' | 'js'].push(fileOf(page, block))
    }
  const said =
    compile(folder, files.ts, strict) +
    compile(folder, files.js, ['--allowJs', '--checkJs', '--strict', 'false'])
  writeFileSync(diagnosticsFile(shared), JSON.stringify(said.split('\n').filter(Boolean)))
}

function compile(cwd: string, files: string[], more: string[]): string {
  if (files.length === 0) return ''
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, ...options, ...more, ...files], {
    cwd,
    encoding: 'utf8',
  })
  return stdout + stderr
}

/** What the compiler says of the programs of a page, with the page's lines. */
export function diagnosticsOf(shared: string, page: string, blocks: Block[]): string[] {
  const lines = new Map(blocks.map((block) => [fileOf(page, block), block.line]))
  const said = JSON.parse(readFileSync(diagnosticsFile(shared), 'utf8')) as string[]
  return said.flatMap((text) => {
    const [, file = '', line, rest] = /^(\S+?)\((\d+),\d+\): (.*)$/.exec(text) ?? []
    const start = lines.get(file)
    return start === undefined ? [] : `line ${start + Number(line)}: ${rest}`
  })
}

/** The program of a block as JavaScript. */
export const emittedProgram = (shared: string, page: string, block: Block): string =>
  join(shared, 'programs', 'emitted', fileOf(page, block).replace(/ts$/, 'js'))
