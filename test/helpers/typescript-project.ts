import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
/** Options of strict type checks. */
export const strict = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes']

/** TypeScript programs of a docs page. @param page path from the repository root */
export const programsIn = (page: string): string[] =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)

/**
 * Runs the compiler on files, without a tsconfig.json.
 * @returns its output; empty if there are no errors
 */
export function compileWith(folder: string, files: string[], options: string[]): string {
  const args = [compiler, '--ignoreConfig', '--target', 'es2022', ...options, ...files]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  return stdout + stderr
}

/** Compiles files in strict mode. @returns output of the compiler; empty if there are no errors */
export const compile = (folder: string, files: string[], options: string[]): string =>
  compileWith(folder, files, [...strict, ...options])
