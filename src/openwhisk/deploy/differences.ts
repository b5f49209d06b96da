import { isDeepStrictEqual } from 'node:util'
import type { EntityBody, KeyValue } from './entities'

const byKey = (values: KeyValue[] = []): Map<string, unknown> =>
  new Map(values.map(({ key, value }) => [key, value]))

/**
 * In what a deployed entity differs from what is wanted, by name. Values are left out: parameters hold secrets.
 * @param current what the platform answered, without code
 * @param inherits whether the answer holds parameters of the entity's package as well, as an action's does
 */
export function differences(wanted: EntityBody, current: EntityBody, inherits: boolean): string[] {
  const { exec = {}, limits = {} } = wanted
  const differing: string[] = []
  const parameters = byKey(current.parameters)
  for (const { key, value } of wanted.parameters ?? []) {
    if (!isDeepStrictEqual(parameters.get(key), value)) differing.push(`parameter ${key}`)
    parameters.delete(key)
  }
  // A put replaces all parameters, and keeps annotations that it does not name.
  if (wanted.parameters && !inherits)
    differing.push(...[...parameters.keys()].map((key) => `parameter ${key}`))
  const annotations = byKey(current.annotations)
  for (const { key, value } of wanted.annotations ?? []) {
    if (!isDeepStrictEqual(annotations.get(key), value)) differing.push(`annotation ${key}`)
  }
  for (const [name, value] of Object.entries(limits)) {
    if (value !== undefined && current.limits?.[name] !== value) differing.push(`limit ${name}`)
  }
  for (const name of ['kind', 'image', 'main', 'components'] as const) {
    if (exec[name] !== undefined && !isDeepStrictEqual(inFull(current.exec?.[name]), exec[name])) {
      differing.push(name)
    }
  }
  for (const name of ['trigger', 'action'] as const) {
    if (wanted[name] !== undefined && fullName(current[name]) !== wanted[name]) differing.push(name)
  }
  return differing
}

/** Servers differ in whether a component's name begins with a slash. */
const inFull = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((name) => `/${String(name).replace(/^\//, '')}`) : value

/** Rules name their ends as `{path: 'guest/whisklens', name: 'classify'}`. */
function fullName(end: unknown): unknown {
  const { path, name } = (end ?? {}) as { path?: string; name?: string }
  return path && name ? `/${path}/${name}` : end
}
