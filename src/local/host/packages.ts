import * as z from 'zod'
import { type Api, flagOf, type Host } from './api'
import { collectionRoutes, commonContent, commonFields, commonSummary } from './collection'
import { type PackageEntity, pathOf } from './entities'
import { resolveName, splitPath } from './names'
import { mergeKeyValues } from './parameters'
import { badRequest, conflict, notFound, orThrow } from './refusals'

const bindingContent = z.object({ namespace: z.string(), name: z.string() }).partial().optional()

/** `packages`, and bindings to packages with their own parameters. */
export function packageRoutes(api: Api, host: Host): void {
  const { entities, namespace } = host

  const show = ({ collection: _, ...entity }: PackageEntity) => ({ ...entity, binding: entity.binding ?? {} })

  /** Target of a binding. wskdeploy and wsk send an empty binding for none. */
  function boundTo(put: z.infer<typeof bindingContent>, old?: PackageEntity): PackageEntity['binding'] {
    if (!put?.name) return old?.binding
    const path = resolveName(`/${put.namespace ?? '_'}/${put.name}`, namespace)
    const provider = entities.find('packages', path)
    if (!provider) throw badRequest('Binding references a package that does not exist.')
    if (provider.binding) throw badRequest('Cannot bind to another package binding.')
    if (old && !old.binding) throw conflict('Resource is a package and cannot be converted into a binding.')
    return { namespace: splitPath(path).path, name: provider.name }
  }

  collectionRoutes(api, host, {
    collection: 'packages',
    content: commonContent.extend({ binding: bindingContent }),
    make(path, put, old) {
      const fields = commonFields(path, put, old)
      if (fields.name === 'default') throw badRequest("Package name 'default' is reserved.")
      const binding = boundTo(put.binding, old)
      const annotations = fields.annotations.filter(({ key }) => key !== 'binding')
      if (binding) annotations.push({ key: 'binding', value: binding })
      return { ...fields, collection: 'packages', annotations, binding }
    },
    show,
    showFull(path) {
      const entity = orThrow(notFound(path), () => entities.get('packages', path))
      const provider = entity.binding ? entities.get('packages', pathOf(entity.binding)) : entity
      const inside = entities
        .list('actions', pathOf(provider))
        .map(({ name, version, annotations }) => ({ name, version, annotations }))
      const feeds = inside.filter(({ annotations }) => annotations.some(({ key }) => key === 'feed'))
      const actions = inside.filter((one) => !feeds.includes(one))
      const parameters = mergeKeyValues(provider.parameters, entity.parameters)
      return { ...show(entity), parameters, actions, feeds }
    },
    summarize: (entity) => ({ ...commonSummary(entity), binding: entity.binding ?? false }),
    beforeRemove(entity, c) {
      const inside = entities.list('actions', pathOf(entity))
      if (inside.length > 0 && !flagOf(c, 'force')) {
        const contents = `contains ${inside.length} ${inside.length === 1 ? 'entity' : 'entities'}`
        throw conflict(`Package not empty (${contents}). Set force param or delete package contents.`)
      }
      for (const action of inside) entities.remove(action)
    },
  })
}
