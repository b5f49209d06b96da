import type { Activation } from './activations'
import { type Api, flagOf, type Host, inNamespace, listPage } from './api'
import { annotationOf } from './parameters'
import { badRequest, malformedQuery } from './refusals'
import { statuses } from './response'

/** An activation as listed: without its logs and result. */
const summarize = ({ logs: _, response, subject: __, ...activation }: Activation) => ({
  ...activation,
  statusCode: statuses.indexOf(response.status),
})

/** Name for filtering lists: `ml/infer` for an action in a package, which `infer` does not match. */
function listedName(activation: Activation): string {
  const [, packageName, inPackage] = String(annotationOf(activation, 'path')).split('/')
  return inPackage === undefined ? activation.name : `${packageName}/${activation.name}`
}

/** `activations`: results and logs. */
export function activationRoutes(api: Api, { activations }: Host): void {
  const base = `${inNamespace}/activations`

  api.on('GET', [base, `${base}/`], (c) => {
    const { name, since = '0', upto = String(Number.MAX_SAFE_INTEGER) } = c.req.query()
    for (const [parameter, text] of Object.entries({ since, upto })) {
      if (/^-?\d+$/.test(text)) continue
      throw malformedQuery(parameter, `Parameter is not a valid value for epoch seconds: ${text}`)
    }
    if (name && name.split('/').length > 2) {
      const wanted = "Parameter may be a 'simple' name or 'package-name/simple' name"
      throw malformedQuery('name', `${wanted}: ${name}`)
    }
    const isWhole = flagOf(c, 'docs')
    if (isWhole && flagOf(c, 'count')) throw badRequest("The parameter 'docs' is not permitted with 'count'.")
    const found = activations
      .list()
      .filter(({ start }) => start >= Number(since) && start <= Number(upto))
      .filter((activation) => !name || listedName(activation) === name)
    return listPage(c, 'activations', found, isWhole ? (one) => one : summarize)
  })
  api.get(`${base}/:id`, (c) => c.json(activations.get(c.req.param('id'))))
  api.get(`${base}/:id/logs`, (c) => c.json({ logs: activations.get(c.req.param('id')).logs }))
  api.get(`${base}/:id/result`, (c) => c.json(activations.get(c.req.param('id')).response))
}
