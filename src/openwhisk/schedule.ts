import { OpenWhiskError } from '../errors'
import { type ApiAddress, asOpenWhiskError, clientOf, isStatus, tellFeed } from './client'

/** The feed of clusters that fires a trigger at intervals; a bare server has none. */
const intervalFeed = '/whisk.system/alarms/interval'

/** The trigger that has something done for another, and its rule. */
const namesOf = (trigger: string) => {
  const name = `${trigger.split('/').at(-1)}-poll`
  return { name, rule: `on-${name}` }
}

const ignoring = (isIgnored: (thrown: unknown) => boolean) => (thrown: unknown) => {
  if (!isIgnored(thrown)) throw thrown
}

/**
 * Has an action invoked at intervals, by a trigger beside the one that it is about. Doing it again changes the interval.
 * @returns false where the platform has no alarms
 * @throws OpenWhiskError when the platform refuses for another reason
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
  const { name, rule } = namesOf(trigger)
  try {
    if (!(await knowsAlarms(client))) return false
    await unschedule(address, trigger)
    await client.triggers.update({ name })
    const params = { minutes, trigger_payload: payload }
    await tellFeed(client, 'create', { name: intervalFeed, trigger: name, params })
    await client.rules.update({ name: rule, trigger: name, action })
    await client.rules.enable({ name: rule })
    return true
  } catch (thrown) {
    if (thrown instanceof OpenWhiskError) throw thrown
    throw asOpenWhiskError(`have ${action} invoked every ${minutes} minutes`, thrown)
  }
}

/** Whether the platform has alarms, without which buckets are not polled. @throws OpenWhiskError */
export async function hasAlarms(address: ApiAddress): Promise<boolean> {
  return knowsAlarms(clientOf(address)).catch((thrown) => {
    throw asOpenWhiskError(`look for ${intervalFeed}`, thrown)
  })
}

const knowsAlarms = (client: ReturnType<typeof clientOf>): Promise<boolean> =>
  client.actions.get({ name: intervalFeed, code: false } as never).then(
    () => true,
    (thrown) => {
      if (isStatus(403, 404)(thrown)) return false
      throw thrown
    },
  )

/** Ends what {@link schedule} began; what is not there is passed by. @throws OpenWhiskError */
export async function unschedule(address: ApiAddress, trigger: string): Promise<void> {
  const client = clientOf(address)
  const { name, rule } = namesOf(trigger)
  try {
    await client.rules.delete({ name: rule }).catch(ignoring(isStatus(404)))
    // The feed answers 404 for an alarm that it does not know, and as a failed action where it is older.
    const ended = tellFeed(client, 'delete', { name: intervalFeed, trigger: name })
    await ended.catch(ignoring(isStatus(403, 404, 502)))
    await client.triggers.delete({ name }).catch(ignoring(isStatus(404)))
  } catch (thrown) {
    if (thrown instanceof OpenWhiskError) throw thrown
    throw asOpenWhiskError(`end the polls of ${trigger}`, thrown)
  }
}
