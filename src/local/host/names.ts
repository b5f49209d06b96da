import type { Reference } from './entities'
import { badRequest, forbidden } from './refusals'
import { isSystemPackage, systemNamespace } from './system'

const legal = /^\w([\w@ .-]{0,254}[\w@.-])?$/

/** Joins path segments after checking that they are valid names: `guest`, `ml`, `infer` → `guest/ml/infer`. */
export function joinNames(...segments: string[]): string {
  if (segments.every((segment) => legal.test(segment))) return segments.join('/')
  throw badRequest('The name of the entity contains illegal characters.')
}

/** Resolves a name for `namespace`: `/_/ml/infer`, `guest/ml/infer`, `ml/infer` → `guest/ml/infer`. */
export function resolveName(name: string, namespace: string): string {
  const [first = '', ...rest] = name.replace(/^\//, '').split('/')
  const isFull = name.startsWith('/') || first === '_' || first === namespace || rest.length === 2
  if (!isFull) return joinNames(namespace, first, ...rest)
  if (first === systemNamespace && isSystemPackage(rest[0])) return joinNames(first, ...rest)
  if (first !== '_' && first !== namespace) throw forbidden([first, ...rest.slice(0, 1)].join('/'))
  return joinNames(namespace, ...rest)
}

/** `guest/ml/infer` → `{path: 'guest/ml', name: 'infer'}`. */
export function splitPath(path: string): Reference {
  const slash = path.lastIndexOf('/')
  return { path: path.slice(0, slash), name: path.slice(slash + 1) }
}
