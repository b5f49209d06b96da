import { readFile } from 'node:fs/promises'
import { InvalidInputError } from '../../errors'
import { type Manifest, type ManifestAction, type ManifestPackage, toParameters } from '../manifest'

/** An entity of a manifest. */
export interface Entity {
  kind: 'package' | 'action' | 'sequence' | 'trigger' | 'rule'
  /** Without namespace: `whisklens/classify`. */
  name: string
  /** The body of the put request. */
  body: EntityBody
  /** A trigger's feed and its parameters. */
  feed?: { name: string; params: Record<string, unknown> }
}

export interface KeyValue {
  key: string
  value: unknown
}

/** The fields of an entity that a manifest sets. */
export interface EntityBody {
  /** Packages only: the platform numbers other entities. */
  version?: string
  parameters?: KeyValue[]
  annotations?: KeyValue[]
  limits?: Record<string, number | undefined>
  exec?: {
    kind?: string
    image?: string
    main?: string
    code?: string
    binary?: boolean
    components?: string[]
  }
  /** Rules: full names. */
  trigger?: string
  action?: string
  /** Deployed rules only. */
  status?: string
}

const toKeyValues = (values: Record<string, unknown>): KeyValue[] =>
  Object.entries(values).map(([key, value]) => ({ key, value }))

/**
 * The entities of a manifest, in the order of deployment.
 * @param namespace that `_` stands for: the platform returns full names
 * @param withCode false where only names matter; then nothing needs to be built
 * @throws InvalidInputError for an action without code, or without a runtime or image
 */
export async function entitiesOf(
  manifest: Manifest,
  namespace: string,
  { withCode = true } = {},
): Promise<Entity[]> {
  const entities: Entity[] = []
  for (const [name, parts] of Object.entries(manifest.packages)) {
    const body = { version: fullVersion(parts.version), parameters: toParameters(parts.inputs) }
    entities.push({ kind: 'package', name, body })
    for (const [action, entry] of Object.entries(parts.actions)) {
      const body = withCode ? await actionBody(manifest, action, entry) : {}
      entities.push({ kind: 'action', name: `${name}/${action}`, body })
    }
    const fullName = (entity: string) => {
      if (entity.startsWith('/')) return entity.replace(/^\/_\//, `/${namespace}/`)
      return `/${namespace}/${entity.includes('/') ? entity : `${name}/${entity}`}`
    }
    for (const [sequence, { actions, annotations }] of Object.entries(parts.sequences)) {
      const components = actions.split(',').map((component) => fullName(component.trim()))
      entities.push({
        kind: 'sequence',
        name: `${name}/${sequence}`,
        body: { exec: { kind: 'sequence', components }, annotations: toKeyValues(annotations) },
      })
    }
    for (const [trigger, entry] of Object.entries(parts.triggers))
      entities.push(triggerEntity(trigger, entry))
    for (const [rule, { trigger, action }] of Object.entries(parts.rules)) {
      const body = { trigger: `/${namespace}/${trigger}`, action: fullName(action) }
      entities.push({ kind: 'rule', name: rule, body })
    }
  }
  return entities
}

/** OpenWhisk stores `1.0` as `1.0.0`. */
const fullVersion = (version: string): string => [...version.split('.'), '0', '0'].slice(0, 3).join('.')

/** A feed's inputs are sent to the feed, not stored with the trigger. */
function triggerEntity(name: string, { feed, inputs }: ManifestPackage['triggers'][string]): Entity {
  const parameters = toParameters(inputs)
  if (!feed) return { kind: 'trigger', name, body: { parameters } }
  const params = Object.fromEntries(parameters.map(({ key, value }) => [key, value]))
  const annotations = [{ key: 'feed', value: feed }]
  return { kind: 'trigger', name, body: { annotations }, feed: { name: feed, params } }
}

async function actionBody(manifest: Manifest, name: string, action: ManifestAction): Promise<EntityBody> {
  if (action.docker === undefined && action.runtime === undefined) {
    throw new InvalidInputError(
      'bad_deployment',
      `The action ${name} has neither a runtime nor a docker image`,
    )
  }
  if (action.docker === '') {
    throw new InvalidInputError('bad_deployment', `The image of the action ${name} is empty`, {
      hint: 'Set WHISKLENS_RUNTIME_IMAGE, or deploy manifest.stock.yaml, which needs no image.',
    })
  }
  const path = manifest.resolve(action.function)
  const zip = await readFile(path).catch((cause) => {
    throw new InvalidInputError('bad_deployment', `The code of the action ${name} does not exist: ${path}`, {
      hint: 'Build it: npm run build; from an installed package, whisklens deploy --stock builds it.',
      cause,
    })
  })
  const kind = action.docker ? { kind: 'blackbox', image: action.docker } : { kind: action.runtime }
  const { timeout, memorySize, logSize } = action.limits
  const isWeb = action.web !== undefined
  // Explicitly false: a put keeps annotations of other clients that it does not name.
  const annotations = {
    'web-export': isWeb,
    'raw-http': action.web === 'raw',
    final: isWeb,
    'provide-api-key': false,
    ...action.annotations,
  }
  return {
    exec: { ...kind, code: zip.toString('base64'), binary: true, main: action.main },
    parameters: toParameters(action.inputs),
    annotations: toKeyValues(annotations),
    limits: { timeout, memory: memorySize, logs: logSize },
  }
}
