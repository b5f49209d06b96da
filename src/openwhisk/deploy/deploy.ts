import { isDeepStrictEqual } from 'node:util'
import { InvalidInputError } from '../../errors'
import { type ApiAddress, clientOf } from '../client'
import { describeHost } from '../host'
import type { Manifest } from '../manifest'
import { differences } from './differences'
import { type Entity, type EntityBody, entitiesOf } from './entities'
import { type KindChoice, kindOf } from './kinds'
import { type Client, isFed, namespaceOf, putEntity, readEntity, removeEntity } from './resources'

/** What is done to one entity, or would be. */
export interface Change {
  kind: Entity['kind']
  name: string
  change: 'create' | 'update' | 'none' | 'delete'
  /** In what it differs, by name; values may be secret. */
  differs: string[]
  /** The version before the change. */
  version?: string
  /** Why the feed of a removed trigger could not end what it does for it. */
  failure?: string
}

export interface DeployOptions {
  /** Report what would change, and change nothing. */
  dryRun?: boolean
  /** The kind of all Node.js actions, such as `nodejs:22`. */
  kind?: string
}

/**
 * Deploys a manifest: packages, actions, sequences, triggers with their feeds, rules. Only what differs is put, and so
 * doing it twice changes nothing. Code is compared with the deployed code: annotations and versions survive puts by other
 * clients, and prove nothing.
 * @throws InvalidInputError for a manifest that cannot work, or a kind that is not available; OpenWhiskError when the
 *   platform refuses something
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
  // Checked before anything is put: a deployment that cannot be completed is not begun.
  for (const entity of entities) withKind(entity, undefined, choice)
  /** As the platform has them. */
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
 * Removes what a manifest deploys, last things first; what is not there is passed by.
 * @throws OpenWhiskError when the platform refuses something
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

/** Records that are written into the bucket that is watched would be classified, for ever. */
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

/** The platform merges the package's parameters into those of an action that is read. */
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
  if (entity.feed && !(await isFed(client, entity))) differs.push('feed')
  return { kind, name, change: differs.length > 0 ? 'update' : 'none', differs, version: found.version }
}
