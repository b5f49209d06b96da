import { createRequire } from 'node:module'
import { join } from 'node:path'
import { homeFolder } from '../paths'
import { findEntry } from './catalogue'

/** The npm packages, `name@version`, that a model of the catalogue needs where it runs. */
export interface Libraries {
  needs: string[]
  /** Those that are not installed here. */
  missing: string[]
}

export function librariesOf(id: string): Libraries {
  const needs = findEntry(id)?.needs ?? []
  return { needs, missing: needs.filter((library) => !isInstalled(nameOf(library))) }
}

/** `@scope/name@1.2.3` → `@scope/name`. */
const nameOf = (library: string): string => library.replace(/(?<=.)@[^@]*$/, '')

function isInstalled(name: string): boolean {
  try {
    createRequire(join(homeFolder(), 'package.json')).resolve(name)
    return true
  } catch {
    return false
  }
}
