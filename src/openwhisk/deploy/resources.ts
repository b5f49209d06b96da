import { isDeepStrictEqual } from 'node:util'
import { messageOf, OpenWhiskError } from '../../errors'
import { asOpenWhiskError, type clientOf, invokeFeed, isStatus } from '../client'
import type { Entity, EntityBody } from './entities'

export type Client = ReturnType<typeof clientOf>

/** The namespace that `_` stands for. @throws OpenWhiskError */
export async function namespaceOf(client: Client): Promise<string> {
  const [namespace] = await client.namespaces.list().catch((thrown) => {
    throw asOpenWhiskError('read the namespace', thrown)
  })
  return String(namespace)
}

/** The common methods of the client's resources; its types lack some options. */
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

const isMissing = isStatus(404)

/**
 * Reads a deployed entity; undefined if it does not exist.
 * @param withCode an action's code may be 48 MB
 * @throws OpenWhiskError
 */
export async function readEntity(
  client: Client,
  { kind, name }: Entity,
  { withCode = false } = {},
): Promise<EntityBody | undefined> {
  return resourceOf(client, kind)
    .get({ name, code: withCode })
    .catch((thrown) => {
      if (isMissing(thrown)) return undefined
      throw asOpenWhiskError(`read the ${kind} ${name}`, thrown)
    })
}

/** Whether a trigger's feed has the wanted inputs. */
export async function isFeedCurrent(client: Client, { name: trigger, feed }: Entity): Promise<boolean> {
  const answer = await feedsOf(client)
    .get({ name: feed?.name ?? '', trigger })
    .catch(() => undefined)
  const known = answer?.response?.result
  if (!known) return false
  // The alarms package returns its inputs in `config`, and the payload under another name.
  const { payload, ...config } = (known.config ?? {}) as Record<string, unknown>
  const current: Record<string, unknown> = { ...known, ...config, trigger_payload: payload }
  const wanted = Object.entries(feed?.params ?? {})
  return wanted.every(([key, value]) =>
    isDeepStrictEqual(
      current[key],
      key === 'trigger_payload' && typeof value === 'string' ? { payload: value } : value,
    ),
  )
}

/** A method that the client's types lack. */
const feedsOf = (client: Client) =>
  client.feeds as unknown as {
    get(options: object): Promise<{ response?: { result?: Record<string, unknown> } }>
  }

/** Creates or replaces an entity, and its feed. @throws OpenWhiskError */
export async function putEntity(client: Client, entity: Entity): Promise<void> {
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
  const create = () => invokeFeed(client, 'create', { name: feed.name, trigger: name, params: feed.params })
  // A feed may refuse a trigger it already has, as alarms does; wskdeploy also sends DELETE first.
  const recreate = () =>
    invokeFeed(client, 'delete', { name: feed.name, trigger: name })
      .catch(() => {})
      .then(create)
  await create().catch(recreate)
}

/**
 * Removes an entity, and its feed. A missing entity is not an error.
 * @returns the failure of the feed, which does not prevent the removal
 * @throws OpenWhiskError
 */
export async function removeEntity(
  client: Client,
  { kind, name, feed }: Entity,
): Promise<string | undefined> {
  const failure = feed && (await deleteFeed(client, feed.name, name))
  await resourceOf(client, kind)
    .delete({ name })
    .catch((thrown) => {
      if (isMissing(thrown)) return
      const error = asOpenWhiskError(`remove the ${kind} ${name}`, thrown)
      if (kind !== 'package' || error.status !== 409) throw error
      const hint = `The package contains other actions: wsk package get --summary ${name}`
      throw new OpenWhiskError(error.status, error.message, { cause: thrown, hint })
    })
  return failure
}

/** @returns the failure of the feed; a missing one is none */
const deleteFeed = (client: Client, name: string, trigger: string): Promise<string | undefined> =>
  invokeFeed(client, 'delete', { name, trigger }).then(
    () => undefined,
    (thrown) => (isMissing(thrown) ? undefined : messageOf(thrown)),
  )
