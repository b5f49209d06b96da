import { readFile } from 'node:fs/promises'
import { InvalidInputError } from '../../errors'
import { type Manifest, type ManifestAction, type ManifestPackage, toParameters } from '../manifest'

/** One thing that a manifest asks for. */
export interface Entity {
  kind: 'package' | 'action' | 'sequence' | 'trigger' | 'rule'
  /** Without its namespace: `whisklens/classify`. */
  name: string
  /** What is put. */
  body: EntityBody
  /** A trigger's feed, and what it is asked for. */
  feed?: { name: string; params: Record<string, unknown> }
}

export interface KeyValue {
  key: string
  value: unknown
}

/** The parts of an entity that a manifest can say something of. */
export interface EntityBody {
  /** Of packages, from the manifest; the platform numbers those of other entities. */
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
  /** Of a rule, by their full names. */
  trigger?: string
  action?: string
  /** Of a deployed rule. */
  status?: string
}

const toKeyValues = (values: Record<string, unknown>): KeyValue[] =>
  Object.entries(values).map(([key, value]) => ({ key, value }))

/**
 * What a manifest asks for, in the order in which it has to be made.
 * @param namespace the name behind `_`: entities of others are named by it in what the platform answers
 * @param withCode false where only names matter: nothing has to be built, then
 * @throws InvalidInputError when an action has no code, or nothing to run on
 */
export async function entitiesOf(
  manifest: Manifest,
  namespace: string,
  { withCode = true } = {},
): Promise<Entity[]> {
  const entities: Entity[] = []
  for (const [name, parts] of Object.entries(manifest.packages)) {
    const body = { version: inThreeParts(parts.version), parameters: toParameters(parts.inputs) }
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

/** OpenWhisk accepts `1.0`, and stores `1.0.0`. */
const inThreeParts = (version: string): string => [...version.split('.'), '0', '0'].slice(0, 3).join('.')

/** A feed's inputs go to the feed, not to the trigger. */
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
    throw new InvalidInputError('bad_deployment', `The code of the action ${name} is not there: ${path}`, {
      hint: 'Build it: npm run build; an installed package makes what is missing with whisklens deploy --stock.',
      cause,
    })
  })
  const kind = action.docker ? { kind: 'blackbox', image: action.docker } : { kind: action.runtime }
  const { timeout, memorySize, logSize } = action.limits
  const isWeb = action.web !== undefined
  // Explicitly false: an annotation that another client has set survives a put that does not name it.
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
