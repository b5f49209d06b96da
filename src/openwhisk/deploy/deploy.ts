import { isDeepStrictEqual } from 'node:util'
import { InvalidInputError } from '../../errors'
import { type ApiAddress, asOpenWhiskError, clientOf } from '../client'
import type { Manifest } from '../manifest'
import { differences } from './differences'
import { codeDigest, type Entity, type EntityBody, entitiesOf } from './entities'

type Client = ReturnType<typeof clientOf>

/** What is done to one entity, or would be. */
export interface Change {
  kind: Entity['kind']
  name: string
  change: 'create' | 'update' | 'none' | 'delete'
  /** In what it differs, by name; values may be secret. */
  differs: string[]
}

/**
 * Deploys a manifest: packages, actions, sequences, triggers with their feeds, rules. Only what differs is put, and so
 * doing it twice changes nothing.
 * @param dryRun only tell what would be done
 * @throws InvalidInputError for a manifest that cannot work; OpenWhiskError when the platform refuses something
 */
export async function* deployManifest(
  manifest: Manifest,
  address: ApiAddress,
  { dryRun = false } = {},
): AsyncGenerator<Change> {
  refuseOverlap(manifest)
  const client = clientOf(address)
  const namespace = await namespaceOf(client)
  for (const entity of await entitiesOf(manifest, namespace)) {
    const change = await changeOf(client, entity)
    if (!dryRun && change.change !== 'none') await put(client, entity)
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
    if (!(await current(client, entity))) continue
    if (!dryRun) await remove(client, entity)
    yield { kind: entity.kind, name: entity.name, change: 'delete', differs: [] }
  }
}

async function namespaceOf(client: Client): Promise<string> {
  const [namespace] = await client.namespaces.list().catch((thrown) => {
    throw asOpenWhiskError('ask for the namespace', thrown)
  })
  return String(namespace)
}

/** Records that are written into the bucket that is watched would be classified, for ever. */
function refuseOverlap({ packages }: Manifest): void {
  for (const { inputs } of Object.values(packages)) {
    const { imagesBucket = 'images', resultsBucket = 'results' } = inputs
    if ((imagesBucket || 'images') !== (resultsBucket || 'results')) continue
    throw new InvalidInputError(`The bucket "${imagesBucket}" cannot hold both images and results`, {
      hint: 'Set WHISKLENS_IMAGES_BUCKET and WHISKLENS_RESULTS_BUCKET to different buckets.',
    })
  }
}

/** The client's types say less than it takes, and its resources are alike. */
interface Resource {
  get(options: object): Promise<EntityBody>
  update(options: object): Promise<unknown>
  delete(options: object): Promise<unknown>
}

const resourceOf = (client: Client, kind: Entity['kind']): Resource => {
  const { packages, actions, triggers, rules } = client
  return { package: packages, action: actions, sequence: actions, trigger: triggers, rule: rules }[
    kind
  ] as never
}

const isMissing = (thrown: unknown): boolean => (thrown as { statusCode?: number }).statusCode === 404

async function current(client: Client, { kind, name }: Entity): Promise<EntityBody | undefined> {
  return resourceOf(client, kind)
    .get({ name, code: false })
    .catch((thrown) => {
      if (isMissing(thrown)) return undefined
      throw asOpenWhiskError(`look at the ${kind} ${name}`, thrown)
    })
}

async function changeOf(client: Client, entity: Entity): Promise<Change> {
  const { kind, name, body } = entity
  const found = await current(client, entity)
  if (!found) return { kind, name, change: 'create', differs: [] }
  const differs = differences(body, found, kind === 'action').map((one) =>
    one === `annotation ${codeDigest}` ? 'code' : one,
  )
  if (kind === 'rule' && (found as { status?: string }).status !== 'active') differs.push('status')
  if (entity.feed && !(await feeds(client, entity))) differs.push('feed')
  return { kind, name, change: differs.length > 0 ? 'update' : 'none', differs }
}

/** Whether a trigger's feed knows it, with what it is asked for. */
async function feeds(client: Client, { name: trigger, feed }: Entity): Promise<boolean> {
  const answer = await feedsOf(client)
    .get({ name: feed?.name ?? '', trigger })
    .catch(() => undefined)
  const known = answer?.response?.result
  if (!known) return false
  // The alarms package tells what it was asked for in a field of its own, and the payload by another name.
  const { payload, ...config } = (known.config ?? {}) as Record<string, unknown>
  const told: Record<string, unknown> = { ...known, ...config, trigger_payload: payload }
  const asked = Object.entries(feed?.params ?? {})
  return asked.every(([key, value]) =>
    isDeepStrictEqual(
      told[key],
      key === 'trigger_payload' && typeof value === 'string' ? { payload: value } : value,
    ),
  )
}

/** What the client's types leave out. */
const feedsOf = (client: Client) =>
  client.feeds as unknown as {
    get(options: object): Promise<{ response?: { result?: Record<string, unknown> } }>
  }

async function put(client: Client, entity: Entity): Promise<void> {
  const { kind, name, body, feed } = entity
  const step = (what: string, call: Promise<unknown>) =>
    call.catch((thrown) => {
      throw asOpenWhiskError(`deploy the ${what}`, thrown)
    })
  if (kind === 'rule') {
    const { trigger, action } = body
    await step(`rule ${name}`, client.rules.update({ name, trigger, action } as never))
    await step(`rule ${name}`, client.rules.enable({ name }))
    return
  }
  const field = kind === 'sequence' ? 'action' : kind
  await step(`${kind} ${name}`, resourceOf(client, kind).update({ name, [field]: body }))
  if (!feed) return
  const create = () => client.feeds.create({ name: feed.name, trigger: name, params: feed.params })
  // A feed may refuse what it knows already, as alarms do; wskdeploy has it forgotten first too.
  const createAnew = () =>
    client.feeds
      .delete({ name: feed.name, trigger: name })
      .catch(() => {})
      .then(create)
  await step(`feed ${feed.name}`, create().catch(createAnew))
}

async function remove(client: Client, { kind, name, feed }: Entity): Promise<void> {
  // A feed that fails, or is gone already, must not keep the rest from being removed.
  if (feed) await client.feeds.delete({ name: feed.name, trigger: name }).catch(() => {})
  await resourceOf(client, kind)
    .delete({ name })
    .catch((thrown) => {
      if (!isMissing(thrown)) throw asOpenWhiskError(`remove the ${kind} ${name}`, thrown)
    })
}
