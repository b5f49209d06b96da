import type { Command } from 'commander'
import * as library from '../../library/connection'

export { type Connection, needOpenWhisk, needStore } from '../../library/connection'

/** The options that {@link storeOptions} adds. */
export interface StoreFlags {
  data?: string
  insecure?: boolean
}

/** The options that {@link connectionOptions} adds. */
export interface ConnectionFlags extends StoreFlags {
  apihost?: string
  auth?: string
  namespace?: string
}

/** Adds the options of a command that invokes actions or fires triggers. */
export const connectionOptions = (command: Command): Command =>
  apiOptions(command).option('--namespace <name>', 'namespace (env: WHISKLENS_NAMESPACE; default: _)')

/** Adds the options of a command that uses OpenWhisk in the namespace of the key. */
export const apiOptions = (command: Command): Command =>
  storeOptions(
    command
      .option('--apihost <url>', 'API host of OpenWhisk (env: WHISKLENS_APIHOST)')
      .option('--auth <uuid:key>', 'API key (env: WHISKLENS_AUTH)'),
  )

/** Adds the options of a command that uses only the object store. */
export const storeOptions = (command: Command): Command =>
  command
    .option(
      '--data <folder>',
      'data folder of a running local mode (env: WHISKLENS_DATA; default: .whisklens)',
    )
    .option('-i, --insecure', 'do not check certificates of servers')
    .hook('preAction', (connecting) => {
      if (connecting.opts<StoreFlags>().insecure) process.stderr.write(unchecked)
    })

const unchecked =
  'warning: --insecure: certificates are not checked, so connections can be intercepted. Set WHISKLENS_CA instead.\n'

/** {@link library.resolveConnection} with flags, which override all other sources. */
export const resolveConnection = (
  { apihost: apiHost, auth, namespace, data: dataDir, insecure }: ConnectionFlags,
  where?: library.SourceLocations,
): Promise<library.Connection> =>
  library.resolveConnection({ apiHost, auth, namespace, dataDir, insecure }, where)
