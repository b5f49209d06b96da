import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readPageAt } from './pages'

/** File and anchor of a relative link; undefined for links to other hosts. */
function targetOf(page: string, link: string): { path: string; anchor?: string } | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined
  const [path = '', anchor] = link.split('#').map(decodeURIComponent)
  return { path: path ? join(dirname(page), path) : page, anchor }
}

function isBroken(page: string, link: string): boolean {
  const target = targetOf(page, link)
  if (!target) return false
  const { path, anchor } = target
  if (!existsSync(path)) return true
  return anchor !== undefined && path.endsWith('.md') && !readPageAt(path).anchors.has(anchor)
}

/** Broken links and images of a page. */
export const brokenLinks = (path: string): string[] =>
  readPageAt(path)
    .links.filter(({ target }) => isBroken(path, target))
    .map(({ line, target }) => `line ${line}: ${target}`)
