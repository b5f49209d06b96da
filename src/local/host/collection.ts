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
  readJson,
} from './api'
import { type Collection, clock, type Entities, type Entity, type EntityIn } from './entities'
import { checkSize } from './limits'
import { splitPath } from './names'
import { badRequest, conflict } from './refusals'

const keyValues = z.array(z.object({ key: z.string(), value: z.unknown(), init: z.boolean().optional() }))
const version = z.string().regex(/^\d+\.\d+\.\d+$/)

/** Body of a PUT; omitted fields keep their values. */
export const commonContent = z
  .object({ version, publish: z.boolean(), annotations: keyValues, parameters: keyValues })
  .partial()
type CommonContent = z.infer<typeof commonContent>

/** Fields common to all entities, from a PUT and the existing entity. */
export function commonFields(path: string, content: CommonContent, old?: Entity) {
  const { parameters = old?.parameters ?? [], annotations = old?.annotations ?? [] } = content
  checkSize('parameters', Buffer.byteLength(JSON.stringify(parameters)))
  checkSize('annotations', Buffer.byteLength(JSON.stringify(annotations)))
  const { path: namespace, name } = splitPath(path)
  const publish = content.publish ?? old?.publish ?? false
  const version = content.version ?? nextVersion(old?.version)
  return { namespace, name, version, publish, annotations, parameters, updated: clock() }
}

function nextVersion(old = '0.0.0'): string {
  const [major, minor, patch] = old.split('.')
  return `${major}.${minor}.${Number(patch) + 1}`
}

/** Fields common to all entities in lists. */
export function commonSummary({ name, namespace, publish, annotations, version, updated }: Entity) {
  return { name, namespace, publish, annotations, version, updated }
}

/** The parts in which collections differ. */
export interface Resource<C extends Collection, T extends CommonContent> {
  collection: C
  content: z.ZodType<T>
  /** Builds the entity for a PUT. */
  make(path: string, content: T, old: EntityIn<C> | undefined): EntityIn<C>
  show(entity: EntityIn<C>): object
  /** For a GET, if that shows more than a PUT. */
  showFull?(path: string, c: ApiContext): object
  summarize(entity: EntityIn<C>): object
  /** Throws to refuse the removal, or removes dependent entities. */
  beforeRemove?(entity: EntityIn<C>, c: ApiContext): void
}

/** Refuses changes of actions through a binding. @throws HttpError 400 for a binding, 404 without the package */
function checkNoBinding(entities: Entities, path: string): void {
  const [namespace, packageName, name] = path.split('/')
  if (name === undefined || !entities.get('packages', `${namespace}/${packageName}`).binding) return
  throw badRequest('Operation not permitted on package binding.')
}

/** Registers list, GET, PUT and DELETE of a collection. */
export function collectionRoutes<C extends Collection, T extends CommonContent>(
  api: Api,
  host: Host,
  { collection, content, make, show, showFull, summarize, beforeRemove }: Resource<C, T>,
): void {
  const { entities } = host
  const base = `${inNamespace}/${collection}`
  const patterns = collection === 'actions' ? [`${base}/:name`, `${base}/:package/:name`] : [`${base}/:name`]

  api.on('GET', [base, `${base}/`], (c) =>
    listPage(c, collection, entities.list(collection, namespaceOf(c, host)), summarize),
  )
  api.on('GET', patterns, (c) => {
    const path = entityPath(c, host)
    return c.json(showFull?.(path, c) ?? show(entities.get(collection, path)))
  })
  api.on('PUT', patterns, async (c) => {
    const path = entityPath(c, host)
    const overwrites = flagOf(c, 'overwrite')
    const put = await readJson(c, (value) => content.parse(value))
    if (collection === 'actions') checkNoBinding(entities, path)
    const old = entities.find(collection, path)
    if (old && !overwrites) throw conflict('resource already exists')
    const entity = make(path, put, old)
    entities.put(entity)
    return c.json(show(entity))
  })
  api.on('DELETE', patterns, (c) => {
    const path = entityPath(c, host)
    if (collection === 'actions') checkNoBinding(entities, path)
    const entity = entities.get(collection, path)
    beforeRemove?.(entity, c)
    // Before the removal, which deletes the code.
    const answer = c.json(show(entity))
    entities.remove(entity)
    return answer
  })
}
