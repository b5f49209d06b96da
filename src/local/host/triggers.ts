import { messageOf } from '../../errors'
import { HttpError } from '../http-error'
import { type Api, entityPath, type Host, inNamespace, readPayload, requestHeaders } from './api'
import { collectionRoutes, commonContent, commonFields, commonSummary } from './collection'
import { clock, pathOf, type Reference, type RuleLink } from './entities'
import { newActivationId } from './ids'
import { checkSize } from './limits'
import { asObject, checkFinal, resolveAction } from './parameters'

/** The request that fires a trigger. */
interface Firing {
  transaction: string
  /** By lower-case name; passed to the actions of rules. */
  headers: Record<string, string>
}

/**
 * Fires a trigger: invokes the actions of its active rules.
 * @returns its activation id; undefined without an active rule
 * @throws HttpError 404
 */
export type Fire = (path: string, payload: Record<string, unknown>, firing: Firing) => string | undefined

export function createFire({
  entities,
  invoker,
  activations,
  throttle,
  namespace,
}: Omit<Host, 'fire'>): Fire {
  /** Invokes a rule's action like a POST: throttled, and with the same checks. */
  function invokeAction({ path, name }: Reference, params: object, transaction: string): string {
    throttle.invocation()
    checkSize('Request', Buffer.byteLength(JSON.stringify(params)))
    const resolved = resolveAction(entities, `${path}/${name}`)
    checkFinal(resolved, params)
    return invoker.invoke(resolved, params, { transaction }).activationId
  }

  /** Runs a rule. @returns its line in the trigger activation's logs */
  function runRule(rule: string, { action, status }: RuleLink, params: object, transaction: string): string {
    const target = pathOf({ namespace: action.path, name: action.name })
    // Field order as on a real server.
    const failureLine = (statusCode: number, error: string) =>
      JSON.stringify({ statusCode, success: false, rule, error, action: target })
    if (status === 'inactive') {
      return failureLine(1, `Rule '${rule}' is inactive, action '${target}' was not activated.`)
    }
    try {
      const activationId = invokeAction(action, params, transaction)
      return JSON.stringify({ statusCode: 0, success: true, activationId, rule, action: target })
    } catch (thrown) {
      return failureLine(thrown instanceof HttpError ? 1 : 3, messageOf(thrown))
    }
  }

  return (path, payload, { transaction, headers }) => {
    const { name, version, rules = {}, parameters } = entities.get('triggers', path)
    const links = Object.entries(rules)
    if (!links.some(([, { status }]) => status === 'active')) return undefined
    const activationId = newActivationId()
    const start = clock()
    // The payload may override anything, even the headers; the trigger's activation shows only the payload.
    const params = { ...asObject(parameters), __ow_headers: headers, ...payload }
    const logs = links.map(([rule, link]) => runRule(rule, link, params, transaction))
    const response = { result: payload, status: 'success' as const, success: true }
    const common = { activationId, namespace, subject: namespace, name, version, publish: false, start }
    activations.add({ ...common, annotations: [], logs, response })
    return activationId
  }
}

/** `triggers`. */
export function triggerRoutes(api: Api, host: Host): void {
  collectionRoutes(api, host, {
    collection: 'triggers',
    content: commonContent,
    make(path, put, old) {
      const { rules, alarm } = old ?? {}
      const fields = { ...commonFields(path, put, old), collection: 'triggers' as const }
      return { ...fields, ...(rules && { rules }), ...(alarm && { alarm }) }
    },
    show: ({ collection: _, alarm: __, ...trigger }) => ({ ...trigger, limits: {} }),
    summarize: commonSummary,
  })

  api.post(`${inNamespace}/triggers/:name`, async (c) => {
    const path = entityPath(c, host)
    host.throttle.fire()
    const { 'content-type': _, ...headers } = requestHeaders(c)
    const payload = await readPayload(c)
    const activationId = host.fire(path, payload, { transaction: c.var.transaction, headers })
    if (activationId === undefined) return c.body(null, 204)
    return c.json({ activationId }, 202, { 'X-OpenWhisk-Activation-Id': activationId })
  })
}
