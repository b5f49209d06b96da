import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

const root = join(__dirname, '..')
const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')

const specifier = /(?<=from ')\.[^']+(?=')/g

/**
 * Writes the type declarations of the library: of `src/index.ts` and the few files that it needs. Node.js resolution derives the module
 * format of declarations from their extension, so there are two of each: `.d.ts` for `require`, and `.d.mts`, with extensions in its
 * imports, for `import`.
 * @throws Error if one of them needs another package
 */
export async function writeDeclarations(folder: string): Promise<void> {
  const emitted = join(folder, '.emitted')
  const args = ['-p', join(root, 'tsconfig.library.json'), '--outDir', emitted]
  await promisify(execFile)(process.execPath, [compiler, ...args], { cwd: root })
  const needed = new Set([join(emitted, 'index')])
  for (const file of needed) {
    const text = await readFile(`${file}.d.ts`, 'utf8')
    const others = text.match(/from '[^.][^']*'|import\("[^"]*"\)/g)
    if (others) throw new Error(`The declarations of the library need ${others.join(', ')} in ${file}`)
    for (const [path] of text.matchAll(specifier)) needed.add(join(dirname(file), path))
    const target = join(folder, relative(emitted, file))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(`${target}.d.ts`, text)
    await writeFile(`${target}.d.mts`, text.replace(specifier, '$&.mjs'))
  }
  await rm(emitted, { recursive: true })
}
