import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
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
