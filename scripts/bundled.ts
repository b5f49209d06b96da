import { join } from 'node:path'
import { type Component, componentOf, wordNet } from '../src/notices/component'

const root = join(__dirname, '..')

/** Contains part of WordNet. */
const synsets = 'src/labels/synsets.json'

/** Paths of our own code. */
const isOurs = (input: string): boolean => /^((src|actions|triggers|runtime)\/|package\.json$)/.test(input)

/** `node_modules/a/node_modules/@b/c/d.js` → `node_modules/a/node_modules/@b/c` */
const folderOf = (input: string): string | undefined =>
  /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]

/**
 * The third-party components of a bundle.
 * @param inputs its files, from esbuild's metafile
 * @throws Error for a file that is neither ours nor in a package with a licence
 */
export async function componentsOf(inputs: Iterable<string>): Promise<Component[]> {
  const folders = new Set<string>()
  let hasWordNet = false
  for (const input of inputs) {
    const folder = folderOf(input)
    if (folder) folders.add(folder)
    else if (!isOurs(input)) throw new Error(`Unknown origin of ${input}`)
    if (input === synsets) hasWordNet = true
  }
  const components = await Promise.all([...folders].map((folder) => componentOf(join(root, folder))))
  return hasWordNet ? [...components, await wordNet()] : components
}
