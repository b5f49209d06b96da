import { HttpError, messageOf } from '../../errors'
import { newActivationId } from './activations'
import { type Api, entityPath, type Host, inNamespace, readPayload } from './api'
import { collectionRoutes, commonContent, commonFields, commonSummary } from './collection'
import { clock, type RuleLink } from './entities'
import { ratePerMinute } from './limits'
import { asObject } from './parameters'

/**
 * Fires the trigger of a path: invokes the actions of its active rules. @returns the id of its activation, or
 * undefined when no active rule listens. @throws HttpError when there is no such trigger, or fires are throttled
 */
export type Fire = (path: string, payload: Record<string, unknown>, transaction: string) => string | undefined

export function firing({ entities, invoker, activations, limits, namespace }: Omit<Host, 'fire'>): Fire {
  const countFire = ratePerMinute(limits.firesPerMinute)

  /** Invokes a rule's action; the line about it in the trigger activation's logs. */
  function follow(rule: string, link: RuleLink, params: object, transaction: string): string {
    const action = `${link.action.path}/${link.action.name}`
    const line = (statusCode: number, outcome: object) =>
      JSON.stringify({ statusCode, success: statusCode === 0, ...outcome, rule, action })
    if (link.status === 'inactive') {
      return line(1, { error: `Rule '${rule}' is inactive, action '${action}' was not activated.` })
    }
    try {
      return line(0, { activationId: invoker.invoke(action, params, { transaction }).activationId })
    } catch (thrown) {
      return line(thrown instanceof HttpError ? 1 : 3, { error: messageOf(thrown) })
    }
  }

  return (path, payload, transaction) => {
    countFire()
    const { name, version, rules = {}, parameters } = entities.get('triggers', path)
    const links = Object.entries(rules)
    if (!links.some(([, { status }]) => status === 'active')) return undefined
    const activationId = newActivationId()
    const start = clock()
    const params = { ...asObject(parameters), ...payload }
    const logs = links.map(([rule, link]) => follow(rule, link, params, transaction))
    const response = { result: payload, status: 'success' as const, success: true }
    const common = { activationId, namespace, subject: namespace, name, version, publish: false, start }
    activations.add({ ...common, annotations: [], logs, response })
    return activationId
  }
}

/** `triggers`: what is fired, by people and by feeds. */
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
    const activationId = host.fire(entityPath(c, host), await readPayload(c), c.var.transaction)
    if (activationId === undefined) return c.body(null, 204)
    return c.json({ activationId }, 202, { 'X-OpenWhisk-Activation-Id': activationId })
  })
}
