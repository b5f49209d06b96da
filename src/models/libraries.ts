import { createRequire } from 'node:module'
import { join } from 'node:path'
import { homeFolder } from '../paths'
import { findEntry } from './catalogue'

/** The npm packages, `name@version`, that a catalogue model needs to run. */
export interface Libraries {
  needs: string[]
  /** Packages that are not installed. */
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
