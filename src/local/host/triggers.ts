import { HttpError, messageOf } from '../../errors'
import { newActivationId } from './activations'
import { type Api, entityPath, type Host, inNamespace, readPayload } from './api'
import { collectionRoutes, commonContent, commonFields, commonSummary } from './collection'
import { clock, type RuleLink } from './entities'
import { ratePerMinute } from './limits'
import { asObject } from './parameters'

/** `triggers`: what is fired, by people and by feeds, to invoke the actions of its active rules. */
export function triggerRoutes(api: Api, host: Host): void {
  const { entities, invoker, activations, limits, namespace } = host
  const countFire = ratePerMinute(limits.firesPerMinute)

  collectionRoutes(api, host, {
    collection: 'triggers',
    content: commonContent,
    make(path, put, old) {
      const fields = { ...commonFields(path, put, old), collection: 'triggers' as const }
      return old?.rules ? { ...fields, rules: old.rules } : fields
    },
    show: ({ collection: _, ...trigger }) => ({ ...trigger, limits: {} }),
    summarize: commonSummary,
  })

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

  api.post(`${inNamespace}/triggers/:name`, async (c) => {
    countFire()
    const payload = await readPayload(c)
    const { name, version, rules = {}, parameters } = entities.get('triggers', entityPath(c, host))
    const links = Object.entries(rules)
    if (!links.some(([, { status }]) => status === 'active')) return c.body(null, 204)
    const activationId = newActivationId()
    const start = clock()
    const params = { ...asObject(parameters), ...payload }
    const logs = links.map(([rule, link]) => follow(rule, link, params, c.var.transaction))
    const response = { result: payload, status: 'success' as const, success: true }
    const common = { activationId, namespace, subject: namespace, name, version, publish: false, start }
    activations.add({ ...common, annotations: [], logs, response })
    return c.json({ activationId }, 202, { 'X-OpenWhisk-Activation-Id': activationId })
  })
}
