import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileWith, strict } from '../helpers/typescript-project'
import type { Block } from './markdown'
import { pagePaths, readPageAt, root, slugOf } from './pages'

/* Compiles the programs of all pages at once, beside the installed package. */

const options = [
  ...['--module', 'node16', '--types', 'node', '--skipLibCheck'],
  ...['--typeRoots', join(root, 'node_modules', '@types')],
  // Fixed root, so that emitted files keep their names.
  ...['--rootDir', '.', '--outDir', 'emitted'],
]
const isProgram = ({ language }: Block): boolean => language === 'ts' || language === 'js'

/** JavaScript that is left out may need packages of an image. TypeScript is always type-checked. */
const isChecked = (block: Block): boolean =>
  isProgram(block) && (block.language === 'ts' || !block.directives.leftOut)

const fileOf = (page: string, { line, language }: Block): string => `${slugOf(page)}-${line}.m${language}`

const diagnosticsFile = (shared: string): string => join(shared, 'programs', 'diagnostics.json')

/** Compiles the programs of pages, TypeScript in strict mode. {@link diagnosticsOf} reads the result. */
export function compilePrograms(shared: string, pages = pagePaths()): void {
  const folder = join(shared, 'programs')
  mkdirSync(folder, { recursive: true })
  const files: Record<'ts' | 'js', string[]> = { ts: [], js: [] }
  for (const page of pages)
    for (const block of readPageAt(page).blocks.filter(isChecked)) {
      writeFileSync(join(folder, fileOf(page, block)), block.text)
      files[block.language as 'ts' | 'js'].push(fileOf(page, block))
    }
  const diagnostics =
    compile(folder, files.ts, strict) +
    compile(folder, files.js, ['--allowJs', '--checkJs', '--strict', 'false'])
  writeFileSync(diagnosticsFile(shared), JSON.stringify(diagnostics.split('\n').filter(Boolean)))
}

const compile = (folder: string, files: string[], more: string[]): string =>
  files.length === 0 ? '' : compileWith(folder, files, [...options, ...more])

/** Compiler diagnostics for a page, with its line numbers. */
export function diagnosticsOf(shared: string, page: string, blocks: Block[]): string[] {
  const lines = new Map(blocks.map((block) => [fileOf(page, block), block.line]))
  const diagnostics = JSON.parse(readFileSync(diagnosticsFile(shared), 'utf8')) as string[]
  return diagnostics.flatMap((text) => {
    const [, file = '', line, rest] = /^(\S+?)\((\d+),\d+\): (.*)$/.exec(text) ?? []
    const start = lines.get(file)
    return start === undefined ? [] : `line ${start + Number(line)}: ${rest}`
  })
}

/** Path of a block's program as JavaScript. */
export const emittedProgram = (shared: string, page: string, block: Block): string =>
  join(shared, 'programs', 'emitted', fileOf(page, block).replace(/ts$/, 'js'))
