import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type Page, readPage } from './markdown'

export const root = join(__dirname, '..', '..')

/** The folder whose pages are run: that of the project, unless mistakes are planted. */
const docsRoot = process.cwd()

/** The pages whose blocks are run, by their paths: README.md and all below docs/. */
export const pagePaths = (folder = docsRoot): string[] => [
  join(folder, 'README.md'),
  ...readdirSync(join(folder, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(folder, 'docs', name)),
]

/** How a page is called in the names of tests. */
export const nameOfPage = (path: string): string => relative(docsRoot, path)

/** The same as part of the name of a file. */
export const slugOf = (path: string): string =>
  nameOfPage(path)
    .replace(/\.md$/, '')
    .replaceAll(/[^\w-]+/g, '-')

export const readPageAt = (path: string): Page => readPage(readFileSync(path, 'utf8'))

/** The file that a relative link leads to, and the anchor in it. Links to other hosts lead to none. */
export function targetOf(page: string, link: string): { path: string; anchor?: string } | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined
  const [path = '', anchor] = link.split('#').map(decodeURIComponent)
  return { path: path ? join(dirname(page), path) : page, anchor }
}
