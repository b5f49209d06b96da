import { clock, type Entity } from './entities'
import { defaultKind } from './kinds'
import { actionLimits } from './limits'

/** Namespace of the packages that every cluster has: readable and invocable with every key, writable with none. */
export const systemNamespace = 'whisk.system'

/** Alarm feed actions forward the request to the host with the caller's key. */
const feed = `async function main({ lifecycleEvent, triggerName, authKey, ...params }) {
  const { __OW_API_HOST: host, __OW_ACTION_NAME: name } = process.env
  const response = await fetch(host + '/api/v1/alarms/' + name.split('/').pop(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Basic ' + Buffer.from(String(authKey)).toString('base64') },
    body: JSON.stringify({ lifecycleEvent, triggerName, params }),
  })
  const answer = await response.json()
  return response.ok ? answer : { error: { error: answer.error } }
}`

/** System packages, with the code of their actions. */
const packages: Record<string, Record<string, string>> = {
  utils: {
    echo: 'const main = (params) => params',
    sort: 'const main = ({ lines }) => ({ lines: (lines || []).sort(), length: (lines || []).length })',
  },
  alarms: { alarm: feed, interval: feed, once: feed },
}

/** @param namespace of an entity, including its package */
export const isSystem = (namespace: string): boolean => namespace.split('/')[0] === systemNamespace

export const isSystemPackage = (name = ''): boolean => Object.hasOwn(packages, name)

/** Whether every key may access a path: reads of system packages, reads and invocations of their actions. */
export function isPublic(method: string, path: string): boolean {
  const [namespace, collection, name, action] = path.split('/').slice(4)
  if (namespace !== systemNamespace) return false
  if (collection === 'packages') return method === 'GET' && (!name || isSystemPackage(name))
  const isRead = method === 'GET' || method === 'POST'
  return isRead && collection === 'actions' && isSystemPackage(name) && action !== undefined
}

/** System packages and actions. They run in containers like any other; `exec.code` is the code itself. */
export function systemEntities(): Entity[] {
  const common = { version: '0.0.1', publish: true, parameters: [], updated: clock() }
  const defaults = Object.entries(actionLimits).map(([name, { defaultValue }]) => [name, defaultValue])
  const limits = Object.fromEntries(defaults)
  return Object.entries(packages).flatMap(([name, actions]): Entity[] => [
    { ...common, collection: 'packages', namespace: systemNamespace, name, annotations: [] },
    ...Object.entries(actions).map(([action, code]): Entity => {
      const annotations = [
        { key: 'provide-api-key', value: false },
        { key: 'exec', value: defaultKind },
        ...(code === feed ? [{ key: 'feed', value: true }] : []),
      ]
      const namespace = `${systemNamespace}/${name}`
      const exec = { kind: defaultKind, code, binary: false }
      return { ...common, collection: 'actions', namespace, name: action, exec, limits, annotations }
    }),
  ])
}
