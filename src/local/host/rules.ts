import * as z from 'zod'
import { HttpError } from '../http-error'
import { type Api, entityPath, type Host, inNamespace, readJson } from './api'
import { collectionRoutes, commonContent, commonFields, commonSummary } from './collection'
import { pathOf, type Reference, type RuleEntity, type RuleLink } from './entities'
import { resolveName, splitPath } from './names'
import { resolveAction } from './parameters'
import { badRequest, orThrow } from './refusals'

const reference = z.union([z.string(), z.object({ path: z.string(), name: z.string() })]).optional()
const statusContent = z.object({ status: z.enum(['active', 'inactive']) })

/** `rules`: connect triggers with actions. */
export function ruleRoutes(api: Api, host: Host): void {
  const { entities, namespace } = host

  const triggerOf = ({ trigger }: RuleEntity) => entities.find('triggers', `${trigger.path}/${trigger.name}`)
  const statusOf = (rule: RuleEntity) => triggerOf(rule)?.rules?.[pathOf(rule)]?.status ?? 'inactive'

  /** Stores the rule in its trigger; without a status, removes it. */
  function link(rule: RuleEntity, status?: RuleLink['status']): void {
    const trigger = triggerOf(rule)
    if (!trigger) return
    const { [pathOf(rule)]: _, ...rules } = trigger.rules ?? {}
    if (status) rules[pathOf(rule)] = { action: rule.action, status }
    entities.put({ ...trigger, rules })
  }

  /** Resolves the trigger or action of a rule. @throws HttpError 400 if it does not exist */
  function referenced(
    what: 'trigger' | 'action',
    put: z.infer<typeof reference>,
    old?: RuleEntity,
  ): Reference {
    const { path: at, name } = typeof put === 'string' ? { path: '', name: put } : (put ?? old?.[what] ?? {})
    if (!name) throw badRequest('rule requires a valid trigger and a valid action')
    const path = resolveName(at ? `/${at}/${name}` : name, namespace)
    orThrow(badRequest(`${what} /${path} does not exist`), () =>
      what === 'trigger' ? entities.get('triggers', path) : resolveAction(entities, path),
    )
    return splitPath(path)
  }

  collectionRoutes(api, host, {
    collection: 'rules',
    content: commonContent.extend({ trigger: reference, action: reference }),
    make(path, put, old) {
      const trigger = referenced('trigger', put.trigger, old)
      const action = referenced('action', put.action, old)
      const rule: RuleEntity = { ...commonFields(path, put, old), collection: 'rules', trigger, action }
      const status = old ? statusOf(old) : 'active'
      if (old) link(old)
      link(rule, status)
      return rule
    },
    show(rule) {
      const { collection: _, parameters: __, ...fields } = rule
      return { ...fields, status: statusOf(rule) }
    },
    summarize: (rule) => ({ ...commonSummary(rule), trigger: rule.trigger, action: rule.action }),
    beforeRemove: (rule) => link(rule),
  })

  api.post(`${inNamespace}/rules/:name`, async (c) => {
    const { status } = await readJson(c, (value) => statusContent.parse(value))
    const rule = entities.get('rules', entityPath(c, host))
    if (!triggerOf(rule)) {
      throw new HttpError(404, 'not_found', 'Only rules with existing triggers can be activated')
    }
    link(rule, status)
    return c.body('OK', 200, { 'content-type': 'text/plain; charset=UTF-8' })
  })
}
