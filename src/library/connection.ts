import { resolve } from 'node:path'
import { environmentName, parseSettings, type Settings } from '../config'
import { InvalidInputError } from '../errors'
import type { ApiAddress } from '../openwhisk/client'
import { openStore, type Store } from '../storage/store'
import type { Trust } from '../trust'
import {
  fromConfigFile,
  fromEnvironment,
  fromLocalMode,
  fromWskProps,
  neededOfStore,
  type PartialConnection,
  readIdentity,
  storeSettings,
} from './connection-sources'
import { mixture, toDeploy } from './local-target'
import type { ConnectionOptions } from './types/connection'

/** Resolved addresses and keys of the object store and OpenWhisk. */
export interface Connection {
  settings: Settings
  /** Settings to deploy, without defaults, which actions apply themselves. A local mode keeps those that it deployed. */
  given: Partial<Settings>
  /** Why OpenWhisk must not be used with this store. */
  mixture?: InvalidInputError
  apiHost?: string
  /** `uuid:key`. */
  auth?: string
  /** `_` (the namespace of the key) by default. */
  namespace: string
  /** TLS options for the API host and the store; `ca` is in the settings. */
  trust: Omit<Trust, 'ca'>
}

/** Connection options passed by a program or on the command line. */
export interface GivenConnection extends ConnectionOptions {
  /** Skips certificate checks; command line only. */
  insecure?: boolean
}

/** Where the other sources are read from. */
export interface SourceLocations {
  env?: NodeJS.ProcessEnv
  cwd?: string
}

const groups: Record<'apiHost' | 's3Endpoint', (keyof PartialConnection)[]> = {
  apiHost: ['apiHost', 'auth', 'namespace'],
  s3Endpoint: [...storeSettings],
}

const given = (source: PartialConnection): PartialConnection =>
  Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined))

/**
 * Merges the connection sources, in this order: `options`, environment, `whisklens.config.json` in the working folder, running
 * local mode, `~/.wskprops`.
 * @throws InvalidInputError for an invalid file, or a variable that would disable certificate checks
 */
export async function resolveConnection(
  { dataDir: dataFolder, insecure, ...options }: GivenConnection,
  { env = process.env, cwd = process.cwd() }: SourceLocations = {},
): Promise<Connection> {
  refuseInsecure(env)
  const fromOptions = given(options)
  const environment = given(fromEnvironment(env))
  const explicit: PartialConnection = { ...environment, ...fromOptions }
  const file: PartialConnection = given(await fromConfigFile(cwd))
  const before: PartialConnection = { ...file, ...explicit }
  const merged = { ...before }

  // The keys of the local mode are valid only for its own address.
  const folder = dataFolder ?? (env.WHISKLENS_DATA || '.whisklens')
  const dataDir = resolve(cwd, folder)
  const local = await fromLocalMode(dataDir)
  if (!local && dataFolder) {
    throw new InvalidInputError('not_configured', `No local mode is running on ${dataDir}`, {
      hint: `Start it with: whisklens up --data ${dataFolder}`,
    })
  }
  for (const [address, names] of Object.entries(groups)) {
    if (merged[address as keyof PartialConnection] !== undefined) continue
    Object.assign(
      merged,
      Object.fromEntries(names.map((name) => [name, merged[name] ?? local?.connection[name]])),
    )
  }
  // A session token is valid only with the access key from the same source.
  const keySource = [fromOptions, environment, file].find(({ s3AccessKeyId }) => s3AccessKeyId !== undefined)
  merged.s3SessionToken = keySource?.s3SessionToken

  const { cert, key, ...wskProps } = await fromWskProps(env)
  const props = given(wskProps)
  // whisklens.config.json comes from the working folder: it must not send the key of ~/.wskprops to a
  // different host.
  const isForeign =
    file.apiHost !== undefined && file.apiHost === merged.apiHost && file.apiHost !== props.apiHost
  const all: PartialConnection = { ...(isForeign ? {} : props), ...given(merged) }
  const isEncrypted = all.apiHost !== undefined && !all.apiHost.startsWith('http:')
  const identity = isEncrypted && !isForeign ? await readIdentity({ cert, key }) : {}
  return {
    settings: parseSettings(all),
    given: toDeploy(all, before, local),
    mixture: mixture(all, before, local, { folder, elsewhere: props.apiHost }),
    apiHost: all.apiHost,
    auth: all.auth,
    namespace: all.namespace ?? '_',
    trust: { insecure, ...identity },
  }
}

/** `__OW_IGNORE_CERTS` is read by the npm client `openwhisk`. */
const insecureNames = ['WHISKLENS_INSECURE', '__OW_IGNORE_CERTS']

/** A variable would disable certificate checks for every command, long after it was set. */
function refuseInsecure(env: NodeJS.ProcessEnv): void {
  const name = insecureNames.find((one) => env[one])
  if (!name) return
  throw new InvalidInputError(
    'bad_setting',
    `${name} is set, but no variable turns off the check of certificates`,
    {
      hint: 'Unset it. Set WHISKLENS_CA, or give --insecure to the one command that needs it.',
    },
  )
}

const startIt = 'Start the local mode (whisklens up)'

/** Address of the connected OpenWhisk. @throws InvalidInputError `not_configured`; `bad_setting` if only its half is a local mode's */
export function needOpenWhisk({ apiHost, auth, settings, trust, mixture }: Connection): ApiAddress {
  if (mixture) throw mixture
  if (apiHost && auth) return { apiHost, auth, ca: settings.ca, ...trust }
  const problem = apiHost ? `There is no API key for ${apiHost}` : 'No OpenWhisk is configured'
  throw new InvalidInputError('not_configured', problem, {
    hint: `${startIt}, or set WHISKLENS_APIHOST and WHISKLENS_AUTH.`,
  })
}

/** The connected object store. @throws InvalidInputError `not_configured` */
export function needStore({ settings, trust }: Connection): Store {
  if (neededOfStore.every((name) => settings[name]))
    return openStore({ ...settings, insecure: trust.insecure })
  throw new InvalidInputError('not_configured', 'No object store is configured', {
    hint: `${startIt}, or set ${neededOfStore.map(environmentName).join(', ')}.`,
  })
}
