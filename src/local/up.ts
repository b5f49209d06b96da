import { join, resolve } from 'node:path'
import { batchMetrics } from '../batch/reports/metrics'
import { resume } from '../batch/running/reconcile'
import type { Context } from '../batch/state/platform'
import { systemClock } from '../clock'
import { type Settings, settingsFromEnvironment, toEnvironment } from '../config'
import { messageOf, WhisklensError } from '../errors'
import type { Connection, ConnectionFile } from '../local-connection'
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
import { ownerRoutes } from './owner-routes'
import { readCors, readPolicy } from './policies'
import { readSecrets, removeConnection, type Secrets, writeConnection, wskpropsPath } from './state'
import { type ObjectStore, startObjectStore } from './store/server'

export interface LocalOptions {
  /** Folder for all state: objects, entities, activations, secrets. */
  dataDir: string
  /** 0 for a free port. */
  apiPort: number
  storePort: number
  limits: Limits
  containersPerAction?: number
  /** `__OW_API_HOST` of the actions, if a proxy is in front of the API host. */
  publicUrl?: string
}

/** A running local mode. */
export interface Local {
  connection: Connection
  /** Deployed entities, as kind and name. */
  deployed: string[]
  close(): Promise<void>
}

const namespace = 'guest'
const region = 'us-east-1'

/**
 * Starts an object store and an API host on 127.0.0.1, deploys `manifest.yaml` unchanged, and sends the notifications of the
 * images bucket to `bucket-events`.
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
    const settings = settingsOf(secrets, store)
    const { imagesBucket, resultsBucket } = settings
    const owned = openStore({
      ...settings,
      s3AccessKeyId: secrets.accessKeyId,
      s3SecretAccessKey: secrets.secretAccessKey,
    })
    const [images, results] = [owned.bucket(imagesBucket), owned.bucket(resultsBucket)]
    for (const bucket of [images, results]) await bucket.createIfMissing()
    const host = await startApiHost({
      dataDir: join(dataDir, 'openwhisk'),
      port: options.apiPort,
      auth: secrets.auth,
      namespace,
      limits: options.limits,
      publicUrl: options.publicUrl,
      containersPerAction: options.containersPerAction,
      images: imageEnvironment,
      metrics: () => batchMetrics(results, Date.now()),
      routes: ownerRoutes({ secret: secrets.ownerSecret, images, results }),
    })
    closers.push(() => host.close())
    const cors = await readCors(originsOf(host, options.publicUrl))
    for (const { name } of [images, results]) store.setCors(name, cors)
    const { connection, deployed, context } = await deploy(dataDir, secrets, settings, store, host)
    closers.push(() => removeConnection(dataDir))
    closers.push(resumeOrphans(context))
    return { connection, deployed, close }
  } catch (thrown) {
    await close()
    throw asStartError(thrown)
  }
}

/** Starts the store. The owner's key has full access, the actions' key the documented policies. */
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

/** Converts "address in use", which the user can fix. */
function asStartError(thrown: unknown): unknown {
  const { code, port } = thrown as NodeJS.ErrnoException & { port?: number }
  if (code !== 'EADDRINUSE') return thrown
  return new WhisklensError('port_in_use', `The port ${port} is in use`, {
    cause: thrown,
    hint: 'Whisklens may be running already. --port 0 picks free ports; --api-port and --store-port set others.',
  })
}

/** Origins of the gallery page: only they may read the buckets in a browser. */
const originsOf = ({ url }: ApiHost, publicUrl?: string): string[] => [
  ...new Set([url, publicUrl ?? url].map((each) => new URL(each).origin)),
]

/** Settings of the actions. */
function settingsOf(secrets: Secrets, { endpoint }: ObjectStore): Settings {
  const fromEnvironment = settingsFromEnvironment()
  return {
    ...fromEnvironment,
    s3Endpoint: endpoint,
    s3Region: region,
    s3AccessKeyId: secrets.actionsAccessKeyId,
    s3SecretAccessKey: secrets.actionsSecretAccessKey,
    s3SessionToken: undefined,
    eventsToken: secrets.eventsToken,
    resultsToken: secrets.resultsToken,
    runtimeImage,
    thumbnails: fromEnvironment.thumbnails ?? 'true',
  }
}

/** Without unset settings. */
const given = (settings: Settings): ConnectionFile['deployed'] =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

async function deploy(
  dataDir: string,
  secrets: Secrets,
  settings: Settings,
  store: ObjectStore,
  host: ApiHost,
) {
  const { accessKeyId, secretAccessKey, eventsToken, resultsToken, ownerSecret, auth } = secrets
  const { imagesBucket, resultsBucket, s3Encryption: encryption } = settings
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
    gallery: `${web}/results?token=${resultsToken}#owner=${ownerSecret}`,
    webToken: resultsToken,
    wskprops: wskpropsPath(dataDir),
  }
  await writeConnection(dataDir, { ...connection, deployed: given(settings) })
  // The context of `start-batch`.
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

const resumeInterval = 5_000

/**
 * Resumes batches without a lease holder: at the start those that a kill interrupted, later those whose activations all died. On
 * a cluster, a schedule does the same. @returns a function that ends it
 */
function resumeOrphans(context: Context): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  const run = (): void => {
    running = resume(context).catch((thrown) =>
      log.warn({ reason: messageOf(thrown) }, 'could not resume open batches'),
    )
  }
  run()
  const timer = setInterval(run, resumeInterval)
  return async () => {
    clearInterval(timer)
    await running
  }
}
