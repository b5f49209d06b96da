import { isDeepStrictEqual } from 'node:util'
import { InvalidInputError } from '../../errors'
import { type ApiAddress, clientOf } from '../client'
import { describeHost } from '../host'
import type { Manifest } from '../manifest'
import { differences } from './differences'
import { type Entity, type EntityBody, entitiesOf } from './entities'
import { type KindChoice, kindOf } from './kinds'
import { type Client, isFeedCurrent, namespaceOf, putEntity, readEntity, removeEntity } from './resources'

/** A change to an entity, made or planned. */
export interface Change {
  kind: Entity['kind']
  name: string
  change: 'create' | 'update' | 'none' | 'delete'
  /** Names of the differences; values may be secret. */
  differs: string[]
  /** The version before the change. */
  version?: string
  /** Why the feed of a removed trigger failed. */
  failure?: string
}

export interface DeployOptions {
  /** Report changes without making them. */
  dryRun?: boolean
  /** The kind of all Node.js actions, such as `nodejs:22`. */
  kind?: string
}

/**
 * Deploys a manifest: packages, actions, sequences, triggers with their feeds, rules. Puts only what differs, so
 * repeating it changes nothing. Code itself is compared: annotations and versions survive puts by other clients, and
 * prove nothing.
 * @throws InvalidInputError for an unusable manifest or an unavailable kind; OpenWhiskError when the platform refuses a
 * request
 */
export async function* deployManifest(
  manifest: Manifest,
  address: ApiAddress,
  { dryRun = false, kind }: DeployOptions = {},
): AsyncGenerator<Change> {
  refuseOverlap(manifest)
  const client = clientOf(address)
  const namespace = await namespaceOf(client)
  const host = await describeHost(address)
  const choice = { kind, offered: host?.runtimes.nodejs, apiHost: address.apiHost }
  const entities = await entitiesOf(manifest, namespace)
  // Checked first, so that a deployment that cannot be completed is not begun.
  for (const entity of entities) withKind(entity, undefined, choice)
  /** Packages as deployed. */
  const packages = new Map<string, EntityBody>()
  for (const wanted of entities) {
    const found = await readEntity(client, wanted, { withCode: true })
    const entity = withKind(wanted, found, choice)
    const own = found && wanted.kind === 'action' ? withoutInherited(found, packages, wanted.name) : found
    const change = await changeOf(client, entity, own)
    const isPut = !dryRun && change.change !== 'none'
    if (isPut) await putEntity(client, entity)
    if (entity.kind === 'package') packages.set(entity.name, isPut ? entity.body : (found ?? {}))
    yield change
  }
}

/**
 * Removes the entities of a manifest in reverse order, skipping missing ones.
 * @throws OpenWhiskError when the platform refuses a request
 */
export async function* undeployManifest(
  manifest: Manifest,
  address: ApiAddress,
  { dryRun = false } = {},
): AsyncGenerator<Change> {
  const client = clientOf(address)
  const namespace = await namespaceOf(client)
  for (const entity of (await entitiesOf(manifest, namespace, { withCode: false })).reverse()) {
    const found = await readEntity(client, entity)
    if (!found) continue
    const failure = dryRun ? undefined : await removeEntity(client, entity)
    const { kind, name } = entity
    yield { kind, name, change: 'delete', differs: [], version: found.version, failure }
  }
}

/** Records written into the watched bucket would be classified, endlessly. */
function refuseOverlap({ packages }: Manifest): void {
  for (const { inputs } of Object.values(packages)) {
    const { imagesBucket = 'images', resultsBucket = 'results' } = inputs
    if ((imagesBucket || 'images') !== (resultsBucket || 'results')) continue
    throw new InvalidInputError(
      'bad_deployment',
      `The bucket "${imagesBucket}" cannot hold both images and results`,
      {
        hint: 'Set WHISKLENS_IMAGES_BUCKET and WHISKLENS_RESULTS_BUCKET to different buckets.',
      },
    )
  }
}

function withKind(entity: Entity, found: EntityBody | undefined, choice: KindChoice): Entity {
  const { exec } = entity.body
  if (!exec?.kind) return entity
  const kind = kindOf(exec.kind, found?.exec?.kind, choice)
  return { ...entity, body: { ...entity.body, exec: { ...exec, kind } } }
}

/** Reading an action includes its package's parameters. */
function withoutInherited(
  found: EntityBody,
  packages: ReadonlyMap<string, EntityBody>,
  name: string,
): EntityBody {
  const inherited = packages.get(name.split('/')[0] ?? '')?.parameters ?? []
  const isOwn = (one: object): boolean => !inherited.some((other) => isDeepStrictEqual(one, other))
  return { ...found, parameters: found.parameters?.filter(isOwn) }
}

async function changeOf(client: Client, entity: Entity, found?: EntityBody): Promise<Change> {
  const { kind, name, body } = entity
  if (!found) return { kind, name, change: 'create', differs: [] }
  const differs = differences(body, found)
  if (kind === 'rule' && found.status !== 'active') differs.push('status')
  if (entity.feed && !(await isFeedCurrent(client, entity))) differs.push('feed')
  return { kind, name, change: differs.length > 0 ? 'update' : 'none', differs, version: found.version }
}
