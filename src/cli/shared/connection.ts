import { resolve } from 'node:path'
import type { Command } from 'commander'
import { environmentName, parseSettings, type SettingName, type Settings } from '../../config'
import { InvalidInputError } from '../../errors'
import type { ApiAddress } from '../../openwhisk/client'
import { openStore, type Store } from '../../storage/store'
import type { Trust } from '../../trust'
import {
  fromConfigFile,
  fromEnvironment,
  fromLocalMode,
  fromWskProps,
  type Partly,
  readIdentity,
} from './connection-sources'

/** The options that {@link connectionOptions} adds. */
export interface ConnectionFlags {
  apihost?: string
  auth?: string
  namespace?: string
  data?: string
  insecure?: boolean
}

/** Where the object store and OpenWhisk are. */
export interface Connection {
  settings: Settings
  /** The settings that a source sets, without defaults, which the actions apply themselves. */
  given: Partial<Settings>
  apiHost?: string
  /** `uuid:key`. */
  auth?: string
  /** `_`, the one the key belongs to, unless another is named. */
  namespace: string
  /** For the API host and the store; the authorities are in the settings. */
  trust: Omit<Trust, 'ca'>
}

/** Adds the options that say where to talk to. */
export const connectionOptions = (command: Command): Command =>
  command
    .option('--apihost <url>', 'API host of OpenWhisk (env: WHISKLENS_APIHOST)')
    .option('--auth <uuid:key>', 'API key (env: WHISKLENS_AUTH)')
    .option('--namespace <name>', 'namespace (env: WHISKLENS_NAMESPACE)')
    .option(
      '--data <folder>',
      'data folder of a running local mode (env: WHISKLENS_DATA; default: .whisklens)',
    )
    .option('-i, --insecure', 'do not check the certificates of the API host and the store')
    .hook('preAction', (connecting) => {
      if (connecting.opts<ConnectionFlags>().insecure) process.stderr.write(unchecked)
    })

const unchecked =
  'warning: --insecure: certificates are not checked, so connections can be intercepted. Set WHISKLENS_CA instead.\n'

const groups: Record<'apiHost' | 's3Endpoint', (keyof Partly)[]> = {
  apiHost: ['apiHost', 'auth', 'namespace'],
  s3Endpoint: [
    's3Endpoint',
    's3Region',
    's3AccessKeyId',
    's3SecretAccessKey',
    's3Encryption',
    'imagesBucket',
    'resultsBucket',
  ],
}

const given = (source: Partly): Partly =>
  Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined))

/**
 * Finds out where to talk to: flags, then the environment, `whisklens.config.json` of the working folder, a running
 * local mode, `~/.wskprops`.
 * @throws InvalidInputError when one of the files is not valid, or a variable tries to disable certificate checks
 */
export async function resolveConnection(
  flags: ConnectionFlags,
  { env = process.env, cwd = process.cwd() }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Connection> {
  const { apihost: apiHost, auth, namespace, insecure } = flags
  refuseInsecure(env)
  const named: Partly = { ...given(fromEnvironment(env)), ...given({ apiHost, auth, namespace }) }
  const file: Partly = given(await fromConfigFile(cwd))
  const chosen: Partly = { ...file, ...named }

  // The keys of the local mode open nothing else: they are used where its address is, and only there.
  const dataDir = resolve(cwd, flags.data ?? (env.WHISKLENS_DATA || '.whisklens'))
  const local = await fromLocalMode(dataDir)
  if (!local && flags.data) {
    throw new InvalidInputError('not_configured', `No local mode is running on ${dataDir}`, {
      hint: `Start it with: whisklens up --data ${flags.data}`,
    })
  }
  for (const [address, names] of Object.entries(groups)) {
    if (chosen[address as keyof Partly] !== undefined) continue
    Object.assign(chosen, Object.fromEntries(names.map((name) => [name, chosen[name] ?? local?.[name]])))
  }
  // A session token is valid only with the key from the same source.
  const keySource = [named, file].find(({ s3AccessKeyId }) => s3AccessKeyId !== undefined)
  chosen.s3SessionToken = keySource?.s3SessionToken

  const { cert, key, ...wskProps } = await fromWskProps(env)
  const props = given(wskProps)
  // A configuration file comes with whatever folder one happens to be in: it may not send the key of ~/.wskprops to
  // another host than the one it is for.
  const isForeign =
    file.apiHost !== undefined && file.apiHost === chosen.apiHost && file.apiHost !== props.apiHost
  const all: Partly = { ...(isForeign ? {} : props), ...given(chosen) }
  const isEncrypted = all.apiHost !== undefined && !all.apiHost.startsWith('http:')
  const identity = isEncrypted && !isForeign ? await readIdentity({ cert, key }) : {}
  return {
    settings: parseSettings(all),
    given: all,
    apiHost: all.apiHost,
    auth: all.auth,
    namespace: all.namespace ?? '_',
    trust: { insecure, ...identity },
  }
}

/** The last one is read by the npm client. */
const insecureNames = ['WHISKLENS_INSECURE', '__OW_IGNORE_CERTS']

/** Refuses variables that would disable certificate checks for every command, long after they were set. */
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

/** The OpenWhisk of a connection. @throws InvalidInputError when none is known */
export function needOpenWhisk({ apiHost, auth, settings, trust }: Connection): ApiAddress {
  if (apiHost && auth) return { apiHost, auth, ca: settings.ca, ...trust }
  const problem = apiHost ? `There is no API key for ${apiHost}` : 'No OpenWhisk is configured'
  throw new InvalidInputError('not_configured', problem, {
    hint: `${startIt}, or set WHISKLENS_APIHOST and WHISKLENS_AUTH.`,
  })
}

/** The object store of a connection. @throws InvalidInputError when none is known */
export function needStore({ settings, trust }: Connection): Store {
  const needed: SettingName[] = ['s3Endpoint', 's3AccessKeyId', 's3SecretAccessKey']
  if (needed.every((name) => settings[name])) return openStore({ ...settings, insecure: trust.insecure })
  throw new InvalidInputError('not_configured', 'No object store is configured', {
    hint: `${startIt}, or set ${needed.map(environmentName).join(', ')}.`,
  })
}
