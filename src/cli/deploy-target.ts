import { environmentName, parseSettings, type SettingName, settingNames } from '../config'
import { InvalidInputError, messageOf, StorageError } from '../errors'
import { neededOfStore } from '../library/connection-sources'
import { type ApiAddress, clientOf } from '../openwhisk/client'
import { namespaceOf } from '../openwhisk/deploy/resources'
import type { Manifest } from '../openwhisk/manifest'
import { openStore } from '../storage/store'
import { type Connection, needOpenWhisk } from './shared/connection'
import { note, type OutputOptions } from './shared/output'

/** An API host and the namespace of the key. */
export interface Target {
  address: ApiAddress
  namespace: string
}

/**
 * The OpenWhisk to change, printed before anything is changed.
 * @param what is done, such as `Deploying to`
 */
export async function targetOf(
  connection: Connection,
  what: string,
  options: OutputOptions,
): Promise<Target> {
  const address = needOpenWhisk(connection)
  const namespace = await namespaceOf(clientOf(address))
  note(`${what} ${address.apiHost} as ${namespace}`, options)
  return { address, namespace }
}

/** Environment of a manifest: what it names itself, and the settings to deploy. */
export function manifestEnvironment({ given }: Connection, env = process.env): NodeJS.ProcessEnv {
  const ours = new Set(settingNames.map(environmentName))
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !ours.has(name))),
    ...Object.fromEntries(settingNames.map((name) => [environmentName(name), given[name]])),
  }
}

/** Fails early: the actions would only report missing settings when they run. */
export function checkSettings({ given, settings }: Connection, options: OutputOptions): void {
  const missing = neededOfStore.filter((name) => !given[name]).map(environmentName)
  if (missing.length > 0) {
    throw new InvalidInputError('not_configured', 'No object store is configured for the actions', {
      hint: `Set ${missing.join(', ')}.`,
    })
  }
  const tokens: SettingName[] = ['eventsToken', 'resultsToken']
  for (const name of tokens) {
    const variable = environmentName(name)
    if (!given[name]) note(`${variable} is not set: its web action refuses every request`, options)
    else if (settings[name] && settings[name] !== given[name])
      note(`${variable} is ignored: the local mode keeps its own token`, options)
  }
}

const hasFeed = ({ packages }: Manifest): boolean =>
  Object.values(packages).some(({ triggers }) => Object.values(triggers).some(({ feed }) => feed))

/**
 * Checks that the key of the actions opens the results bucket, where feeds keep their triggers. A store that only the
 * actions reach is not an error.
 * @throws StorageError
 */
export async function checkStore(
  manifest: Manifest,
  { given, trust }: Connection,
  options: OutputOptions,
): Promise<void> {
  if (!hasFeed(manifest)) return
  const settings = parseSettings(given)
  const results = openStore({ ...settings, insecure: trust.insecure }).bucket(settings.resultsBucket)
  try {
    await results.list({ prefix: 'feeds/' }).next()
  } catch (thrown) {
    if (!(thrown instanceof StorageError && thrown.code === 'store_failed')) throw thrown
    note(`Not checked: the object store, which does not answer here. ${messageOf(thrown)}`, options)
  }
}
