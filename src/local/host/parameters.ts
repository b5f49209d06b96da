import { type ActionEntity, type Entities, type KeyValue, pathOf } from './entities'
import { parametersNotAllowed } from './refusals'

/** Parameters over parameters: the later lists win. */
export const mergeKeyValues = (...lists: KeyValue[][]): KeyValue[] => [
  ...new Map(lists.flat().map((one) => [one.key, one])).values(),
]

export const asObject = (list: KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, value ?? null]))

export const annotationOf = ({ annotations }: { annotations: KeyValue[] }, wanted: string): unknown =>
  annotations.find(({ key }) => key === wanted)?.value

/** An action with the parameters of its package, and of the binding it is reached through, below its own. */
export interface ResolvedAction {
  action: ActionEntity
  parameters: KeyValue[]
  /** The path of the binding through which it was resolved. */
  binding?: string
}

/** Finds an action by its path, through a package binding too; a 404 when it or its package is not there. */
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

/** Refuses a payload that sets what the annotation `final` protects. @throws HttpError 400 */
export function checkFinal(resolved: ResolvedAction, payload: object): void {
  const fixed = finalParameters(resolved)
  if (Object.keys(payload).some((key) => fixed.has(key))) throw parametersNotAllowed()
}

/** The parameters that an invocation may not set: those with a value, where the annotation `final` says so. */
export function finalParameters({ action, parameters }: ResolvedAction): Set<string> {
  const isFinal = annotationOf(action, 'final') === true
  return new Set(parameters.filter(({ value }) => isFinal && value != null).map(({ key }) => key))
}
