import * as z from 'zod'
import {
  type Api,
  type ApiContext,
  entityPath,
  flagOf,
  type Host,
  inNamespace,
  listPage,
  namespaceOf,
  readPayload,
} from './api'
import { collectionRoutes, commonContent, commonFields, commonSummary } from './collection'
import { type ActionEntity, type KeyValue, pathOf } from './entities'
import { execContent, execOf } from './exec'
import { within } from './invoke'
import { actionLimits, maxWait } from './limits'
import { joinNames } from './names'
import { checkFinal, mergeKeyValues, resolveAction } from './parameters'
import { badRequest, malformedQuery } from './refusals'

const limitsContent = z.record(z.string(), z.number().int().nullable())
const content = commonContent.extend({
  exec: execContent.optional(),
  limits: limitsContent.optional(),
  delAnnotations: z.array(z.string()).optional(),
})

const summarize = (action: ActionEntity) => ({
  ...commonSummary(action),
  exec: { binary: action.exec.binary ?? false },
  limits: action.limits,
})

/** `actions`: code for a runtime or image, and sequences. */
export function actionRoutes(api: Api, host: Host): void {
  const { entities, invoker, throttle } = host

  function show({ collection: _, ...action }: ActionEntity, withCode = true) {
    const { code, ...exec } = action.exec
    const text = code === undefined || !withCode ? undefined : entities.readCode(code)
    return { ...action, exec: { ...exec, code: text } }
  }

  collectionRoutes(api, host, {
    collection: 'actions',
    content,
    make(path, put, old) {
      // The only parameter of a sequence is its components; they are dropped when it becomes another kind of action.
      const isSequence = (put.exec ?? old?.exec)?.kind === 'sequence'
      const forgets = !isSequence && old?.exec.kind === 'sequence'
      const fields = commonFields(path, forgets ? { parameters: [], ...put } : put, old)
      const exec = put.exec ? execOf(put.exec, path, host) : old?.exec
      if (!exec) throw badRequest('exec undefined')
      const annotations = annotationsOf(put, exec.kind, old)
      const parameters = isSequence ? [{ key: '_actions', value: exec.components }] : fields.parameters
      const limits = limitsOf(put.limits ?? {}, old)
      return { ...fields, collection: 'actions', exec, limits, parameters, annotations }
    },
    show,
    showFull(path, c) {
      const { action, parameters } = resolveAction(entities, path)
      return show({ ...action, parameters }, c.req.query('code') !== 'false')
    },
    summarize,
  })

  const base = `${inNamespace}/actions`

  api.get(`${base}/:package/`, (c) => {
    const given = entities.get('packages', joinNames(namespaceOf(c, host), c.req.param('package')))
    return listPage(c, 'actions', entities.list('actions', pathOf(given.binding ?? given)), summarize)
  })

  api.on('POST', [`${base}/:name`, `${base}/:package/:name`], async (c) => {
    const path = entityPath(c, host)
    throttle.invocation()
    const [blocking, isResultOnly, wait] = [flagOf(c, 'blocking'), flagOf(c, 'result'), waitOf(c)]
    const payload = await readPayload(c)
    const resolved = resolveAction(entities, path)
    checkFinal(resolved, payload)
    const { activationId, done } = invoker.invoke(resolved, payload, { transaction: c.var.transaction })
    c.header('X-OpenWhisk-Activation-Id', activationId)
    const activation = blocking ? await within(wait, done) : undefined
    if (!activation) return c.json({ activationId }, 202)
    const { response, annotations } = activation
    const status = response.success ? 200 : response.status === 'whisk internal error' ? 500 : 502
    // A real server returns an array without its activation record.
    if (isResultOnly || Array.isArray(response.result)) return c.json(response.result as object, status)
    // Logs of an action are collected after its response; those of a sequence are known.
    const isSequence = annotations.some(({ key }) => key === 'topmost')
    return c.json(isSequence ? activation : { ...activation, logs: [] }, status)
  })
}

/** Timeout of a blocking invocation, milliseconds. @throws HttpError 400 */
function waitOf(c: ApiContext): number {
  const wait = Number(c.req.query('timeout') ?? maxWait)
  if (Number.isInteger(wait) && wait > 0 && wait <= maxWait) return wait
  throw malformedQuery('timeout', `Timeout must be number of milliseconds up to ${maxWait}.`)
}

/** Merges the annotations of a PUT with the existing ones. */
function annotationsOf(
  { annotations = [], delAnnotations = [] }: z.infer<typeof content>,
  kind: string,
  old?: ActionEntity,
): KeyValue[] {
  // New actions only, as on a real server.
  const base = old ? old.annotations : [{ key: 'provide-api-key', value: false }]
  const kept = base.filter(({ key }) => !delAnnotations.includes(key))
  return mergeKeyValues(kept, annotations, [{ key: 'exec', value: kind }])
}

function limitsOf(requested: z.infer<typeof limitsContent>, old?: ActionEntity): ActionEntity['limits'] {
  const limitOf = (name: keyof typeof actionLimits): number => {
    const { title, unit, min, defaultValue, max } = actionLimits[name]
    const value = requested[name] ?? old?.limits[name] ?? defaultValue
    const message = `requirement failed: ${title} ${value}${unit}`
    if (value < min) throw badRequest(`${message} below allowed threshold of ${min}${unit}`)
    if (value > max) throw badRequest(`${message} exceeds allowed threshold of ${max}${unit}`)
    return value
  }
  const [concurrency, logs] = [limitOf('concurrency'), limitOf('logs')]
  return { concurrency, logs, memory: limitOf('memory'), timeout: limitOf('timeout') }
}
