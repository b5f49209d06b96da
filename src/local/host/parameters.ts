import { type ActionEntity, type Entities, type KeyValue, pathOf } from './entities'
import { parametersNotAllowed } from './refusals'

/** Merges lists; later ones win. */
export const mergeKeyValues = (...lists: KeyValue[][]): KeyValue[] => [
  ...new Map(lists.flat().map((one) => [one.key, one])).values(),
]

export const asObject = (list: KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, value ?? null]))

export const annotationOf = ({ annotations }: { annotations: KeyValue[] }, wanted: string): unknown =>
  annotations.find(({ key }) => key === wanted)?.value

/** An action with its own parameters merged over those of its package and binding. */
export interface ResolvedAction {
  action: ActionEntity
  parameters: KeyValue[]
  /** Path of the binding, if it was resolved through one. */
  binding?: string
}

/** Finds an action by its path, also through a package binding. @throws HttpError 404 */
export function resolveAction(entities: Entities, path: string): ResolvedAction {
  const [namespace, packageName, name] = path.split('/')
  if (name === undefined) {
    const action = entities.get('actions', path)
    return { action, parameters: action.parameters }
  }
  const given = entities.get('packages', `${namespace}/${packageName}`)
  const provider = given.binding ? entities.get('packages', pathOf(given.binding)) : given
  const action = entities.get('actions', `${pathOf(provider)}/${name}`)
  const parameters = mergeKeyValues(provider.parameters, given.parameters, action.parameters)
  return { action, parameters, binding: given.binding && pathOf(given) }
}

/** Refuses a payload that overrides protected parameters. @throws HttpError 400 */
export function checkFinal(resolved: ResolvedAction, payload: object): void {
  const fixed = finalParameters(resolved)
  if (Object.keys(payload).some((key) => fixed.has(key))) throw parametersNotAllowed()
}

/** Parameters protected by the annotation `final`: those with a value. */
export function finalParameters({ action, parameters }: ResolvedAction): Set<string> {
  const isFinal = annotationOf(action, 'final') === true
  return new Set(parameters.filter(({ value }) => isFinal && value != null).map(({ key }) => key))
}
