import { isLoopback, type SettingName, type Settings } from '../config'
import { InvalidInputError } from '../errors'
import { type LocalMode, type PartialConnection, storeSettings } from './connection-sources'

/*
 * A running local mode is an API host and a store that belong together: neither is used with one from elsewhere.
 */

const isSame = (url: string | undefined, other: string): boolean =>
  url !== undefined && base(url) === base(other)

const base = (url: string): string =>
  URL.canParse(url) ? new URL(url).origin.replace('//localhost', '//127.0.0.1') : url

/** Whether both the API host and the store are those of the local mode. */
const isWhole = ({ apiHost, s3Endpoint }: PartialConnection, { connection }: LocalMode): boolean =>
  isSame(apiHost, connection.apiHost) && isSame(s3Endpoint, connection.s3Endpoint)

/** Settings that a deployment on the local mode has from it whatever the environment says; others are only defaults. */
const localOnly: SettingName[] = [...storeSettings, 's3SessionToken', 'eventsToken', 'resultsToken']

/** The settings to deploy: on the local mode those that it deployed itself, with `given` ones over them. */
export function toDeploy(
  all: PartialConnection,
  given: PartialConnection,
  local: LocalMode | undefined,
): Partial<Settings> {
  if (!local || !isWhole(all, local)) return all
  const chosen = Object.entries(given).filter(([name]) => !localOnly.includes(name as SettingName))
  return { ...local.deployed, ...Object.fromEntries(chosen) }
}

/**
 * Why OpenWhisk cannot be used: only one of API host and store is that of the local mode.
 * @param given settings from sources before the local mode
 * @param folder of the local mode
 * @param elsewhere API host of `~/.wskprops`
 */
export function mixture(
  all: PartialConnection,
  given: PartialConnection,
  local: LocalMode | undefined,
  { folder, elsewhere }: { folder: string; elsewhere?: string },
): InvalidInputError | undefined {
  if (!local || isWhole(all, local)) return undefined
  const { apiHost, s3Endpoint } = all
  const running = `A local mode is running in ${folder}`
  if (given.apiHost === undefined) {
    const props = elsewhere && !isSame(elsewhere, local.connection.apiHost)
    return new InvalidInputError(
      'bad_setting',
      `The API host ${apiHost} is that of the running local mode, but the object store ${s3Endpoint} is not`,
      {
        hint: `${running}${props ? ` and comes before ~/.wskprops (${elsewhere})` : ''}. Stop it, or set WHISKLENS_APIHOST and WHISKLENS_AUTH.`,
      },
    )
  }
  // On this machine it may be a proxy, or a server that reaches the local store.
  const isNear = URL.canParse(given.apiHost) && isLoopback(new URL(given.apiHost))
  if (given.s3Endpoint !== undefined || isNear) return undefined
  return new InvalidInputError(
    'bad_setting',
    `The object store ${s3Endpoint} is that of the running local mode, but the API host ${apiHost} is not`,
    { hint: `${running}. Stop it, or set WHISKLENS_S3_ENDPOINT and its keys.` },
  )
}
