import { isDeepStrictEqual } from 'node:util'
import { messageOf, OpenWhiskError } from '../../errors'
import { asOpenWhiskError, type clientOf, isStatus, tellFeed } from '../client'
import type { Entity, EntityBody } from './entities'

export type Client = ReturnType<typeof clientOf>

/** The namespace behind `_`. @throws OpenWhiskError */
export async function namespaceOf(client: Client): Promise<string> {
  const [namespace] = await client.namespaces.list().catch((thrown) => {
    throw asOpenWhiskError('ask for the namespace', thrown)
  })
  return String(namespace)
}

/** The resources of the client are alike; its types lack some of the options. */
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
 * The entity as it is deployed; undefined when it is not.
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

/** Whether a trigger's feed has it with the wanted inputs. */
export async function isFed(client: Client, { name: trigger, feed }: Entity): Promise<boolean> {
  const answer = await feedsOf(client)
    .get({ name: feed?.name ?? '', trigger })
    .catch(() => undefined)
  const known = answer?.response?.result
  if (!known) return false
  // The alarms package returns its inputs in a field of its own, and the payload under another name.
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

/** The feeds method that the client's types lack. */
const feedsOf = (client: Client) =>
  client.feeds as unknown as {
    get(options: object): Promise<{ response?: { result?: Record<string, unknown> } }>
  }

/** Creates or replaces an entity; a trigger's feed with it. @throws OpenWhiskError */
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
  const create = () => tellFeed(client, 'create', { name: feed.name, trigger: name, params: feed.params })
  // A feed may refuse a trigger that it already has, as alarms do; wskdeploy sends DELETE first, too.
  const createAnew = () =>
    tellFeed(client, 'delete', { name: feed.name, trigger: name })
      .catch(() => {})
      .then(create)
  await create().catch(createAnew)
}

/**
 * Removes an entity; a trigger's feed with it. An entity that is gone already is no error.
 * @returns what the feed failed with, which does not keep its trigger from being removed
 * @throws OpenWhiskError
 */
export async function removeEntity(
  client: Client,
  { kind, name, feed }: Entity,
): Promise<string | undefined> {
  const failure = feed && (await endFeed(client, feed.name, name))
  await resourceOf(client, kind)
    .delete({ name })
    .catch((thrown) => {
      if (isMissing(thrown)) return
      const error = asOpenWhiskError(`remove the ${kind} ${name}`, thrown)
      if (kind !== 'package' || error.status !== 409) throw error
      const hint = `The package holds actions of your own: wsk package get --summary ${name}`
      throw new OpenWhiskError(error.status, error.message, { cause: thrown, hint })
    })
  return failure
}

/** @returns what the feed failed with; one that is gone already has nothing to end */
const endFeed = (client: Client, name: string, trigger: string): Promise<string | undefined> =>
  tellFeed(client, 'delete', { name, trigger }).then(
    () => undefined,
    (thrown) => (isMissing(thrown) ? undefined : messageOf(thrown)),
  )
