import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const strict = [
  '--strict',
  '--noUncheckedIndexedAccess',
  '--exactOptionalPropertyTypes',
  '--target',
  'es2022',
]

/** TypeScript programs of a docs page. @param page path from the repository root */
export const programsIn = (page: string): string[] =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)

/**
 * Compiles files in strict mode without a tsconfig.json.
 * @returns output of the compiler; empty if there are no errors
 */
export function compile(folder: string, files: string[], options: string[]): string {
  try {
    return execFileSync(process.execPath, [compiler, '--ignoreConfig', ...strict, ...options, ...files], {
      cwd: folder,
      encoding: 'utf8',
    })
  } catch (thrown) {
    return (thrown as { stdout: string }).stdout
  }
}
