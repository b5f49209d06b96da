import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import S3 from 'ibm-cos-sdk/clients/s3'
import { readPolicy } from '../../src/local/policies'
import { startObjectStore } from '../../src/local/store/server'
import { newDataDir, removeDataDir } from '../helpers/local-mode'
import { freePorts } from '../helpers/local-mode-tls'
import { startTlsFront, testAuthority } from '../helpers/tls'
import { startVersity, versityBinary } from '../helpers/versity'
import type { Platform } from './wsk'

export interface StoreAddress {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

export interface Buckets {
  imagesBucket: string
  resultsBucket: string
}

/** An OpenWhisk without Whisklens, and an S3 store with two empty buckets. */
export interface Target extends Buckets {
  platform: Platform
  /** Address of the store for the deployment. */
  s3: StoreAddress
  /** Address of the store for the test run: with the owner's key, without TLS. */
  ownS3: StoreAddress
  /** The image of `manifest.yaml`; undefined if the server is not known to have one. */
  runtimeImage?: string
  /** Certificate of the authority for API host and store, PEM; only with TLS. */
  ca?: string
  /** Description for the report. */
  name: string
  close(): Promise<void>
}

const localAuth = '23bc46b1-71f6-4ed5-8c54-816aa4f8c502:a-key-of-the-cluster'

/** Whether API host and store use TLS, with an authority generated for this run. */
const isByTls = process.env.WHISKLENS_TEST_TLS === 'true'

/** Cleanup of what the run has started, to be called in reverse order. */
export type Closers = (() => Promise<void>)[]

async function frontOf(url: string, closers: Closers): Promise<string> {
  if (!isByTls) return url
  const front = await startTlsFront(url)
  closers.push(front.close)
  return front.url
}

/**
 * Starts the local API host in its own process, with a real server's default limits; without them under TLS, to save
 * time.
 * @returns its address
 */
async function startLocalHost(closers: Closers): Promise<string> {
  const dataDir = await newDataDir()
  closers.push(() => removeDataDir(dataDir))
  // The front must be first: actions are given its address.
  const port = isByTls ? await freePorts() : 0
  const front = isByTls ? await frontOf(`http://127.0.0.1:${port}`, closers) : ''
  const limits = isByTls ? 'generous' : 'openwhisk'
  const program = join(__dirname, '..', 'helpers', 'openwhisk-child.ts')
  const args = ['--import', 'tsx', program, dataDir, String(port), localAuth, limits, front]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  closers.push(async () => {
    child.kill()
    await exited
  })
  const line = once(createInterface({ input: child.stdout }), 'line')
  const [url] = await Promise.race([line, exited.then(() => [])])
  if (!url) throw new Error('The API host ended before it was ready')
  return front || String(url)
}

export interface Store {
  /** With the owner's key. */
  own: StoreAddress
  /** With the deployment's key. */
  s3: StoreAddress
  name: string
}

/** With TLS, the embedded store under the documented policy; otherwise Versity S3 Gateway if it is installed. */
async function startStore(buckets: Buckets, closers: Closers): Promise<Store> {
  if (versityBinary && !isByTls) {
    const { close, endpoint, region, accessKeyId, secretAccessKey } = await startVersity()
    closers.push(close)
    const own = { endpoint, region, accessKeyId, secretAccessKey }
    return { own, s3: own, name: 'Versity S3 Gateway' }
  }
  const dataDir = await newDataDir()
  const credentials = { accessKeyId: 'access', secretAccessKey: 'a-secret-for-tests' }
  const actions = { accessKeyId: 'actions', secretAccessKey: 'a-secret-of-the-actions' }
  const region = 'us-east-1'
  const policies = [buckets, { ...buckets, imagesBucket: `${buckets.imagesBucket}-more` }].map((names) =>
    readPolicy('actions', names),
  )
  const Statement = (await Promise.all(policies)).flatMap((policy) => policy.Statement)
  const server = await startObjectStore({
    dataDir,
    port: 0,
    region,
    credentials,
    users: [{ ...actions, policy: { Version: '2012-10-17', Statement } }],
  })
  closers.push(async () => {
    await server.close()
    await removeDataDir(dataDir)
  })
  const { endpoint } = server
  return {
    own: { endpoint, region, ...credentials },
    s3: { endpoint, region, ...actions },
    name: 'the embedded store under docs/policies/actions.json',
  }
}

const given = (name: string): string => {
  const value = process.env[name]
  if (value) return value
  throw new Error(`A conformance run on a server needs ${name}`)
}

function givenStore(endpoint: string): Store {
  const own = {
    endpoint,
    region: process.env.WHISKLENS_S3_REGION ?? 'us-east-1',
    accessKeyId: given('WHISKLENS_S3_ACCESS_KEY_ID'),
    secretAccessKey: given('WHISKLENS_S3_SECRET_ACCESS_KEY'),
  }
  return { own, s3: own, name: endpoint }
}

/**
 * Opens the server in `WHISKLENS_APIHOST` and `WHISKLENS_AUTH` with the store in `WHISKLENS_S3_…`; by default, the
 * local API host and a local store. Creates both buckets, and removes them on close.
 * @param start starts the store if the environment has none
 */
export async function openTarget(start = startStore): Promise<Target> {
  const { WHISKLENS_APIHOST: server, WHISKLENS_S3_ENDPOINT: endpoint } = process.env
  const closers: Closers = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const apiHost = server ? await frontOf(server, closers) : await startLocalHost(closers)
    const auth = server ? given('WHISKLENS_AUTH') : localAuth
    const namespace = process.env.WHISKLENS_NAMESPACE ?? 'guest'
    const run = randomBytes(4).toString('hex')
    const buckets = { imagesBucket: `images-${run}`, resultsBucket: `results-${run}` }
    const { own, s3, name } = endpoint ? givenStore(endpoint) : await start(buckets, closers)
    await createBuckets(own, Object.values(buckets), closers)
    return {
      platform: { apiHost, auth, namespace, insecure: isByTls },
      s3: { ...s3, endpoint: await frontOf(s3.endpoint, closers) },
      ownS3: own,
      ...buckets,
      runtimeImage: process.env.WHISKLENS_RUNTIME_IMAGE ?? (server ? undefined : 'whisklens-runtime'),
      ca: isByTls ? (await testAuthority()).ca : undefined,
      name: `${server ?? 'the local API host'} and ${name}${isByTls ? ', by TLS' : ''}`,
      close,
    }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

async function createBuckets(address: StoreAddress, names: string[], closers: Closers): Promise<void> {
  const client = new S3({ ...address, s3ForcePathStyle: true, signatureVersion: 'v4' })
  for (const Bucket of names) {
    await client.createBucket({ Bucket }).promise()
    closers.push(() => removeBucket(client, Bucket))
  }
}

/** Removes a bucket and its contents. */
export async function removeBucket(client: S3, Bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await client.listObjectsV2({ Bucket }).promise()
    if (Contents.length === 0) break
    for (const { Key = '' } of Contents) await client.deleteObject({ Bucket, Key }).promise()
  }
  await client.deleteBucket({ Bucket }).promise()
}
