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

/** What the body of a PUT may say of any entity; what it leaves out stays as it is. */
export const commonContent = z
  .object({ version, publish: z.boolean(), annotations: keyValues, parameters: keyValues })
  .partial()
type CommonContent = z.infer<typeof commonContent>

/** The fields all entities have, from a PUT's body and the entity it changes. */
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

/** The fields of an entity in a list. */
export function commonSummary({ name, namespace, publish, annotations, version, updated }: Entity) {
  return { name, namespace, publish, annotations, version, updated }
}

/** What makes a collection different from the others. */
export interface Resource<C extends Collection, T extends CommonContent> {
  collection: C
  content: z.ZodType<T>
  /** The entity as a PUT wants it. */
  make(path: string, content: T, old: EntityIn<C> | undefined): EntityIn<C>
  show(entity: EntityIn<C>): object
  /** As a GET shows it, where that says more than the answer to a PUT. */
  showFull?(path: string, c: ApiContext): object
  summarize(entity: EntityIn<C>): object
  /** Refuses to remove the entity, or removes what hangs on it. */
  beforeRemove?(entity: EntityIn<C>, c: ApiContext): void
}

/** Actions can be changed in their own package only. @throws HttpError 400 in a binding, 404 without the package */
function checkNoBinding(entities: Entities, path: string): void {
  const [namespace, packageName, name] = path.split('/')
  if (name === undefined || !entities.get('packages', `${namespace}/${packageName}`).binding) return
  throw badRequest('Operation not permitted on package binding.')
}

/** GET, PUT and DELETE of a collection's entities, and its list. */
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
    // Made first: the code goes with the action.
    const answer = c.json(show(entity))
    entities.remove(entity)
    return answer
  })
}
