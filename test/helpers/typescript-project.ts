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

/** The programs in TypeScript of a page of the docs. @param page its path, from the root of the repository */
export const programsIn = (page: string): string[] =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)

/** Compiles files of a folder, strictly, without a tsconfig.json. @returns what the compiler prints: nothing when they fit */
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
