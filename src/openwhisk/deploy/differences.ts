import { isDeepStrictEqual } from 'node:util'
import type { EntityBody, KeyValue } from './entities'

const byKey = (values: KeyValue[] = []): Map<string, unknown> =>
  new Map(values.map(({ key, value }) => [key, value]))

/**
 * Names the differences between a deployed entity and the wanted one, without values: parameters hold secrets.
 * @param current as read from the platform; an action with its code and without its package's parameters
 */
export function differences(wanted: EntityBody, current: EntityBody): string[] {
  return [
    ...parameterDifferences(wanted, current),
    ...annotationDifferences(wanted, current),
    ...Object.entries(wanted.limits ?? {})
      .filter(([name, value]) => value !== undefined && current.limits?.[name] !== value)
      .map(([name]) => `limit ${name}`),
    ...execDifferences(wanted, current),
    ...(wanted.version === undefined || wanted.version === current.version ? [] : ['version']),
    ...(['trigger', 'action'] as const).filter(
      (name) => wanted[name] !== undefined && fullName(current[name]) !== wanted[name],
    ),
  ]
}

/** A put replaces all parameters. wskdeploy puts empty strings for unset variables. */
function parameterDifferences(wanted: EntityBody, current: EntityBody): string[] {
  if (!wanted.parameters) return []
  const [before, after] = [byKey(current.parameters), byKey(wanted.parameters)]
  return [...new Set([...after.keys(), ...before.keys()])]
    .filter((key) => !isDeepStrictEqual(before.get(key) ?? '', after.get(key) ?? ''))
    .map((key) => `parameter ${key}`)
}

/** The default of an absent annotation: OpenWhisk provides the key to actions without `provide-api-key`. */
const valueIfAbsent = (key: string): boolean => key === 'provide-api-key'

/** A put keeps annotations that it does not name. */
function annotationDifferences(wanted: EntityBody, current: EntityBody): string[] {
  const before = byKey(current.annotations)
  return (wanted.annotations ?? [])
    .filter(({ key, value }) => !isDeepStrictEqual(before.get(key) ?? valueIfAbsent(key), value))
    .map(({ key }) => `annotation ${key}`)
}

function execDifferences({ exec }: EntityBody, current: EntityBody): string[] {
  if (!exec) return []
  const found = current.exec ?? {}
  const isSame = {
    kind: exec.kind === found.kind,
    image: withoutDigest(exec.image) === withoutDigest(found.image),
    main: (exec.main || undefined) === (found.main || undefined),
    components: isDeepStrictEqual(found.components?.map(withSlash), exec.components),
    code: exec.code === found.code,
  }
  return Object.entries(isSame).flatMap(([name, same]) => (same ? [] : [name]))
}

/** OpenWhisk drops the digest of an image name. */
const withoutDigest = (image?: string): string | undefined => image?.replace(/@.*$/, '')

/** Servers differ in the leading slash of component names. */
const withSlash = (name: string): string => `/${name.replace(/^\//, '')}`

/** Rules name their trigger and action as `{path: 'guest/whisklens', name: 'classify'}`. */
function fullName(end: unknown): unknown {
  const { path, name } = (end ?? {}) as { path?: string; name?: string }
  return path && name ? `/${path}/${name}` : end
}
