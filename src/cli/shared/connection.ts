import type { Command } from 'commander'
import * as library from '../../library/connection'

export { type Connection, needOpenWhisk, needStore } from '../../library/connection'

/** The options that {@link connectionOptions} adds. */
export interface ConnectionFlags {
  apihost?: string
  auth?: string
  namespace?: string
  data?: string
  insecure?: boolean
}

/** Adds the options of {@link ConnectionOptions}. */
export const connectionOptions = (command: Command): Command =>
  command
    .option('--apihost <url>', 'API host of OpenWhisk (env: WHISKLENS_APIHOST)')
    .option('--auth <uuid:key>', 'API key (env: WHISKLENS_AUTH)')
    .option('--namespace <name>', 'namespace (env: WHISKLENS_NAMESPACE; default: _)')
    .option(
      '--data <folder>',
      'data folder of a running local mode (env: WHISKLENS_DATA; default: .whisklens)',
    )
    .option('-i, --insecure', 'do not check certificates of the API host and the object store')
    .hook('preAction', (connecting) => {
      if (connecting.opts<ConnectionFlags>().insecure) process.stderr.write(unchecked)
    })

const unchecked =
  'warning: --insecure: certificates are not checked, so connections can be intercepted. Set WHISKLENS_CA instead.\n'

/** {@link library.resolveConnection} with flags, which override all other sources. */
export const resolveConnection = (
  { apihost: apiHost, auth, namespace, data: dataDir, insecure }: ConnectionFlags,
  where?: library.SourceLocations,
): Promise<library.Connection> =>
  library.resolveConnection({ apiHost, auth, namespace, dataDir, insecure }, where)
