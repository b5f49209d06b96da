import { join, resolve } from 'node:path'
import { batchMetrics } from '../batch/reports/metrics'
import { resume } from '../batch/running/reconcile'
import type { Context } from '../batch/state/platform'
import { systemClock } from '../clock'
import { type Settings, settingsFromEnvironment, toEnvironment } from '../config'
import { messageOf, WhisklensError } from '../errors'
import type { Connection } from '../local-connection'
import { log } from '../log'
import { connect } from '../openwhisk/client'
import { deployManifest } from '../openwhisk/deploy/deploy'
import { readManifest } from '../openwhisk/manifest'
import { homeFolder } from '../paths'
import { openStore } from '../storage/store'
import { openWebhook } from '../webhook/send'
import type { Limits } from './host/limits'
import { type ApiHost, startApiHost } from './host/server'
import { imageEnvironment, runtimeImage } from './images'
import { readCors, readPolicy } from './policies'
import { readSecrets, removeConnection, type Secrets, writeConnection, wskpropsPath } from './state'
import { type ObjectStore, startObjectStore } from './store/server'

export interface LocalOptions {
  /** All state: objects, entities, activations, secrets. */
  dataDir: string
  /** 0 picks a free one. */
  apiPort: number
  storePort: number
  limits: Limits
  containersPerAction?: number
  /** `__OW_API_HOST` of the actions, where a proxy is in front of the API host. */
  publicUrl?: string
}

/** The whole system on this machine. */
export interface Local {
  connection: Connection
  /** What was deployed, by kind and name. */
  deployed: string[]
  close(): Promise<void>
}

const namespace = 'guest'
const region = 'us-east-1'

/**
 * Starts an object store and an API host on 127.0.0.1, deploys `manifest.yaml` there unchanged and has the images
 * bucket's notifications sent to `bucket-events`.
 */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const dataDir = resolve(options.dataDir)
  const secrets = await readSecrets(dataDir)
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const store = await startStore(join(dataDir, 'store'), options.storePort, secrets)
    closers.push(() => store.close())
    let results: Context['results'] | undefined
    const host = await startApiHost({
      dataDir: join(dataDir, 'openwhisk'),
      port: options.apiPort,
      auth: secrets.auth,
      namespace,
      limits: options.limits,
      publicUrl: options.publicUrl,
      containersPerAction: options.containersPerAction,
      images: imageEnvironment,
      metrics: async () => (results ? batchMetrics(results, Date.now()) : []),
    })
    closers.push(() => host.close())
    const { connection, deployed, context } = await deploy(options, secrets, store, host)
    results = context.results
    closers.push(() => removeConnection(dataDir))
    closers.push(resumeOrphans(context))
    return { connection, deployed, close }
  } catch (thrown) {
    await close()
    throw asStartError(thrown)
  }
}

/** Starts the store. The owner's key has full access, the actions' key what the documented policies allow. */
async function startStore(dataDir: string, port: number, secrets: Secrets): Promise<ObjectStore> {
  const settings = settingsFromEnvironment()
  const [policy, tags] = [await readPolicy('actions', settings), await readPolicy('tags', settings)]
  const actions = {
    accessKeyId: secrets.actionsAccessKeyId,
    secretAccessKey: secrets.actionsSecretAccessKey,
    policy: { ...policy, Statement: [...policy.Statement, ...tags.Statement] },
  }
  const encryption = settings.s3Encryption
  return startObjectStore({ dataDir, port, region, credentials: secrets, users: [actions], encryption })
}

/** A port that is taken is the user's to mend. */
function asStartError(thrown: unknown): unknown {
  const { code, port } = thrown as NodeJS.ErrnoException & { port?: number }
  if (code !== 'EADDRINUSE') return thrown
  return new WhisklensError('port_in_use', `The port ${port} is in use`, {
    cause: thrown,
    hint: 'Is Whisklens up already? --port 0 picks free ports; --api-port and --store-port name others.',
  })
}

/** Where the gallery page comes from: only that may read the buckets in a browser. */
const originsOf = ({ url }: ApiHost, publicUrl?: string): string[] => [
  ...new Set([url, publicUrl ?? url].map((each) => new URL(each).origin)),
]

async function deploy(
  { publicUrl, ...options }: LocalOptions,
  secrets: Secrets,
  store: ObjectStore,
  host: ApiHost,
) {
  const dataDir = resolve(options.dataDir)
  const { accessKeyId, secretAccessKey, eventsToken, resultsToken, auth } = secrets
  const fromEnvironment = settingsFromEnvironment()
  const settings: Settings = {
    ...fromEnvironment,
    s3Endpoint: store.endpoint,
    s3Region: region,
    s3AccessKeyId: secrets.actionsAccessKeyId,
    s3SecretAccessKey: secrets.actionsSecretAccessKey,
    s3SessionToken: undefined,
    eventsToken,
    resultsToken,
    runtimeImage,
    thumbnails: fromEnvironment.thumbnails ?? 'true',
  }
  const { imagesBucket, resultsBucket, s3Encryption: encryption } = settings
  const buckets = openStore({ ...settings, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey })
  for (const name of [imagesBucket, resultsBucket]) await buckets.bucket(name).createIfMissing()
  const cors = await readCors(originsOf(host, publicUrl))
  for (const name of [imagesBucket, resultsBucket]) store.setCors(name, cors)
  const manifest = await readManifest(join(homeFolder(), 'manifest.yaml'), toEnvironment(settings))
  const deployed: string[] = []
  for await (const { kind, name } of deployManifest(manifest, { apiHost: host.url, auth })) {
    deployed.push(`${kind} ${name}`)
  }
  const web = `${host.url}/api/v1/web/${namespace}/whisklens`
  store.setNotifications([{ bucket: imagesBucket, url: `${web}/bucket-events`, token: eventsToken }])
  const connection: Connection = {
    apiHost: host.url,
    auth,
    namespace,
    s3: { endpoint: store.endpoint, region, accessKeyId, secretAccessKey, encryption },
    imagesBucket,
    resultsBucket,
    gallery: `${web}/results?token=${resultsToken}`,
    webToken: resultsToken,
    wskprops: wskpropsPath(dataDir),
  }
  await writeConnection(dataDir, connection)
  // As `start-batch` sees the world.
  const actions = openStore(settings)
  const actionName = `/${namespace}/whisklens/start-batch`
  const context: Context = {
    clock: systemClock,
    random: Math.random,
    store: actions,
    results: actions.bucket(resultsBucket),
    openwhisk: connect({ apiHost: host.url, auth }, 0),
    webhook: openWebhook(settings),
    settings,
    activation: { id: 'up', deadline: Number.MAX_SAFE_INTEGER, namespace, actionName },
  }
  return { connection, deployed, context }
}

const lookForOrphansEvery = 5_000

/**
 * Has batches carried on that have no lease holder: at the start those that a kill cut off, later those whose
 * activations all died. A cluster does the same on a schedule. @returns what ends it
 */
function resumeOrphans(context: Context): () => Promise<void> {
  let looking: Promise<unknown> = Promise.resolve()
  const turn = (): void => {
    looking = resume(context).catch((thrown) =>
      log.warn({ reason: messageOf(thrown) }, 'open batches were not looked at'),
    )
  }
  turn()
  const timer = setInterval(turn, lookForOrphansEvery)
  return async () => {
    clearInterval(timer)
    await looking
  }
}
