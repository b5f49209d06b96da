import { type Command, Option } from 'commander'
import { generousLimits, openwhiskLimits } from '../local/host/limits'
import { startLocal } from '../local/up'
import { wholeNumber } from './shared/options'
import { runnable } from './shared/output'

interface UpOptions {
  data: string
  port?: number
  apiPort: number
  storePort: number
  limits: 'generous' | 'openwhisk'
  containers?: number
  apiUrl?: string
  json?: boolean
  quiet?: boolean
}

const maxPort = 65_535
const port = wholeNumber(0, maxPort)

/** `whisklens up`: runs the local mode until it is interrupted. */
export function register(program: Command): void {
  program
    .command('up')
    .description('start the local mode: object store, OpenWhisk API, actions, gallery')
    .addOption(new Option('--data <folder>', 'data folder').env('WHISKLENS_DATA').default('.whisklens'))
    .option('--api-port <port>', 'port of the OpenWhisk API', port, 3233)
    .option('--store-port <port>', 'port of the object store', port, 9000)
    .option(
      '--port <port>',
      'port of the API; the store gets the next one; 0 picks free ports',
      wholeNumber(0, maxPort - 1),
    )
    .addOption(
      new Option('--limits <preset>', 'rate limits of the API')
        .choices(['generous', 'openwhisk'])
        .default('generous'),
    )
    .option('--containers <count>', 'containers per action (default: one per core)', wholeNumber(1, 1000))
    .option('--api-url <url>', 'API address given to actions, such as that of a proxy')
    .option('--json', 'print one line of JSON when ready')
    .option('--quiet', 'print nothing when ready')
    .addHelpText(
      'after',
      `
For development, tests and small jobs. Listens on 127.0.0.1 only; state survives restarts.

Examples:
  whisklens up                        # then, in another terminal: whisklens upload photos/ --prefix photos/
  whisklens up --port 0 --json        # on free ports, for scripts
  whisklens up --limits openwhisk     # with the rate limits of standalone OpenWhisk`,
    )
    .action(run)
}

async function run(options: UpOptions): Promise<void> {
  const local = await startLocal({
    dataDir: options.data,
    apiPort: options.port ?? options.apiPort,
    storePort: options.port === undefined ? options.storePort : options.port && options.port + 1,
    limits: options.limits === 'openwhisk' ? openwhiskLimits : generousLimits,
    containersPerAction: options.containers,
    publicUrl: options.apiUrl,
  })
  const { connection } = local
  // Register before reporting that it is ready: it may be stopped right then.
  const stopped = stopSignal()
  if (options.json) process.stdout.write(`${JSON.stringify(connection)}\n`)
  else if (!options.quiet) {
    process.stdout.write(`Whisklens is up, on this machine only.

  Gallery       ${connection.gallery}
  OpenWhisk     ${connection.apiHost}   (wsk: export WSK_CONFIG_FILE=${connection.wskprops})
  Object store  ${connection.s3.endpoint}   buckets ${connection.imagesBucket}, ${connection.resultsBucket}

${runnable('Next, in another terminal: whisklens upload <folder> --prefix photos/')}
Ctrl-C stops it. Its state stays in ${options.data}.
`)
  }
  await stopped
  await local.close()
}

/** Resolves at the first SIGINT or SIGTERM. A second one kills the process. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM')
      resolve()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  })
}
