import { join } from 'node:path'
import { type Component, componentOf, wordNet } from '../src/notices/component'

const root = join(__dirname, '..')

/** Holds part of WordNet. */
const synsets = 'src/labels/synsets.json'

/** Where our own code lies. */
const isOurs = (input: string): boolean => /^((src|actions|triggers|runtime)\/|package\.json$)/.test(input)

/** `node_modules/a/node_modules/@b/c/d.js` → `node_modules/a/node_modules/@b/c` */
const folderOf = (input: string): string | undefined =>
  /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]

/**
 * Whose work is in a bundle.
 * @param inputs its files, as esbuild's metafile lists them
 * @throws Error for a file that is neither ours nor of a package with a licence
 */
export async function componentsOf(inputs: Iterable<string>): Promise<Component[]> {
  const folders = new Set<string>()
  let hasWordNet = false
  for (const input of inputs) {
    const folder = folderOf(input)
    if (folder) folders.add(folder)
    else if (!isOurs(input)) throw new Error(`Whose ${input} is, is not known`)
    if (input === synsets) hasWordNet = true
  }
  const components = await Promise.all([...folders].map((folder) => componentOf(join(root, folder))))
  return hasWordNet ? [...components, await wordNet()] : components
}
