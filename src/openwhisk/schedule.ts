import { OpenWhiskError } from '../errors'
import { type ApiAddress, asOpenWhiskError, clientOf, invokeFeed, isStatus } from './client'

/** A feed on clusters that fires a trigger at intervals. Standalone OpenWhisk lacks it. */
const intervalFeed = '/whisk.system/alarms/interval'

/** The names of the polling trigger of a trigger, and of its rule. */
const pollNamesOf = (trigger: string) => {
  const name = `${trigger.split('/').at(-1)}-poll`
  return { name, rule: `on-${name}` }
}

const ignoring = (isIgnored: (thrown: unknown) => boolean) => (thrown: unknown) => {
  if (!isIgnored(thrown)) throw thrown
}

/**
 * Invokes an action at intervals by way of an extra trigger. Repeating it changes the interval.
 * @returns false when the platform has no alarms
 * @throws OpenWhiskError
 */
export async function schedule(
  address: ApiAddress,
  {
    trigger,
    action,
    minutes,
    payload,
  }: { trigger: string; action: string; minutes: number; payload: object },
): Promise<boolean> {
  const client = clientOf(address)
  const { name, rule } = pollNamesOf(trigger)
  try {
    if (!(await hasAlarmsFeed(client))) return false
    await unschedule(address, trigger)
    await client.triggers.update({ name })
    const params = { minutes, trigger_payload: payload }
    await invokeFeed(client, 'create', { name: intervalFeed, trigger: name, params })
    await client.rules.update({ name: rule, trigger: name, action })
    await client.rules.enable({ name: rule })
    return true
  } catch (thrown) {
    if (thrown instanceof OpenWhiskError) throw thrown
    throw asOpenWhiskError(`schedule ${action} every ${minutes} minutes`, thrown)
  }
}

/** Whether the platform has alarms, which polling requires. @throws OpenWhiskError */
export async function hasAlarms(address: ApiAddress): Promise<boolean> {
  return hasAlarmsFeed(clientOf(address)).catch((thrown) => {
    throw asOpenWhiskError(`read ${intervalFeed}`, thrown)
  })
}

const hasAlarmsFeed = (client: ReturnType<typeof clientOf>): Promise<boolean> =>
  client.actions.get({ name: intervalFeed, code: false } as never).then(
    () => true,
    (thrown) => {
      if (isStatus(403, 404)(thrown)) return false
      throw thrown
    },
  )

/** Undoes {@link schedule}; skips what is missing. @throws OpenWhiskError */
export async function unschedule(address: ApiAddress, trigger: string): Promise<void> {
  const client = clientOf(address)
  const { name, rule } = pollNamesOf(trigger)
  try {
    await client.rules.delete({ name: rule }).catch(ignoring(isStatus(404)))
    // The feed answers 404 for an unknown alarm; older versions fail the action.
    const ended = invokeFeed(client, 'delete', { name: intervalFeed, trigger: name })
    await ended.catch(ignoring(isStatus(403, 404, 502)))
    await client.triggers.delete({ name }).catch(ignoring(isStatus(404)))
  } catch (thrown) {
    if (thrown instanceof OpenWhiskError) throw thrown
    throw asOpenWhiskError(`stop polling for ${trigger}`, thrown)
  }
}
