import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type Page, readPage } from './markdown'

export const root = join(__dirname, '..', '..')

/** Root of the pages: the project, or a folder with planted mistakes. */
const docsRoot = process.cwd()

/** Paths of all pages: README.md and everything below docs/. */
export const pagePaths = (folder = docsRoot): string[] => [
  join(folder, 'README.md'),
  ...readdirSync(join(folder, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(folder, 'docs', name)),
]

/** Name of a page in test titles. */
export const nameOfPage = (path: string): string => relative(docsRoot, path)

/** Name of a page as part of a file name. */
export const slugOf = (path: string): string =>
  nameOfPage(path)
    .replace(/\.md$/, '')
    .replaceAll(/[^\w-]+/g, '-')

export const readPageAt = (path: string): Page => readPage(readFileSync(path, 'utf8'))
