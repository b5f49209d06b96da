import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import S3 from 'ibm-cos-sdk/clients/s3'
import { startObjectStore } from '../../src/local/store/server'
import { newDataDir, removeDataDir } from '../helpers/local-mode'
import { startVersity, versityBinary } from '../helpers/versity'
import type { Platform } from './wsk'

export interface StoreAddress {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

/** An OpenWhisk without Whisklens and an S3 store with two empty buckets. */
export interface Target {
  platform: Platform
  s3: StoreAddress
  imagesBucket: string
  resultsBucket: string
  /** The image of `manifest.yaml`; none where the server is not known to have one. */
  runtimeImage?: string
  /** Says what it is, for the report. */
  name: string
  close(): Promise<void>
}

const localAuth = '23bc46b1-71f6-4ed5-8c54-816aa4f8c502:a-key-of-the-cluster'

/** The local API host with a real server's default limits, in a process of its own. */
async function startLocalHost() {
  const dataDir = await newDataDir()
  const program = join(__dirname, '..', 'helpers', 'openwhisk-child.ts')
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', program, dataDir, '0', localAuth, 'openwhisk'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const line = once(createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }), 'line')
  const [url] = await Promise.race([line, once(child, 'exit').then(() => [])])
  if (!url) throw new Error('The API host ended before it was ready')
  return {
    platform: { apiHost: String(url), auth: localAuth, namespace: 'guest' },
    close: async () => {
      const exited = once(child, 'exit')
      child.kill()
      await exited
      await removeDataDir(dataDir)
    },
  }
}

/** Versity S3 Gateway where it is installed, and the embedded store elsewhere. */
async function startStore() {
  if (versityBinary) return { ...(await startVersity()), name: 'Versity S3 Gateway' }
  const dataDir = await newDataDir()
  const credentials = { accessKeyId: 'access', secretAccessKey: 'a-secret-for-tests' }
  const server = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
  return {
    endpoint: server.endpoint,
    region: 'us-east-1',
    ...credentials,
    name: 'the embedded store',
    close: async () => {
      await server.close()
      await removeDataDir(dataDir)
    },
  }
}

const given = (name: string): string => {
  const value = process.env[name]
  if (value) return value
  throw new Error(`A conformance run on a server needs ${name}`)
}

/**
 * The server that `WHISKLENS_APIHOST` and `WHISKLENS_AUTH` name, with the store of `WHISKLENS_S3_…`; without them, the
 * local API host and a store of its own. Both buckets are made anew and go with the target.
 */
export async function openTarget(): Promise<Target> {
  const isServer = process.env.WHISKLENS_APIHOST !== undefined
  const host = isServer
    ? {
        platform: {
          apiHost: given('WHISKLENS_APIHOST'),
          auth: given('WHISKLENS_AUTH'),
          namespace: process.env.WHISKLENS_NAMESPACE ?? 'guest',
          insecure: process.env.WHISKLENS_INSECURE === 'true',
        },
        close: async () => {},
      }
    : await startLocalHost()
  const { name, close, ...s3 } = process.env.WHISKLENS_S3_ENDPOINT
    ? {
        name: 'the given store',
        endpoint: process.env.WHISKLENS_S3_ENDPOINT,
        region: process.env.WHISKLENS_S3_REGION ?? 'us-east-1',
        accessKeyId: given('WHISKLENS_S3_ACCESS_KEY_ID'),
        secretAccessKey: given('WHISKLENS_S3_SECRET_ACCESS_KEY'),
        close: async () => {},
      }
    : await startStore()
  const run = randomBytes(4).toString('hex')
  const [imagesBucket, resultsBucket] = [`images-${run}`, `results-${run}`]
  const { endpoint, region, accessKeyId, secretAccessKey } = s3
  const address = { endpoint, region, accessKeyId, secretAccessKey }
  const client = new S3({ ...address, s3ForcePathStyle: true, signatureVersion: 'v4' })
  const buckets = [imagesBucket, resultsBucket]
  for (const Bucket of buckets) await client.createBucket({ Bucket }).promise()
  return {
    platform: host.platform,
    s3: address,
    imagesBucket,
    resultsBucket,
    runtimeImage: process.env.WHISKLENS_RUNTIME_IMAGE ?? (isServer ? undefined : 'whisklens-runtime'),
    name: `${isServer ? host.platform.apiHost : 'the local API host'} with ${name}`,
    close: async () => {
      for (const Bucket of buckets) await removeBucket(client, Bucket)
      await close()
      await host.close()
    },
  }
}

/** Removes a bucket with all that is in it. */
export async function removeBucket(client: S3, Bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await client.listObjectsV2({ Bucket }).promise()
    if (Contents.length === 0) break
    for (const { Key = '' } of Contents) await client.deleteObject({ Bucket, Key }).promise()
  }
  await client.deleteBucket({ Bucket }).promise()
}
