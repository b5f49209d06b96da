import { readPolicy } from '../../src/local/policies'
import { startObjectStore } from '../../src/local/store/server'
import { newDataDir, removeDataDir } from '../helpers/local-mode'
import { startVersity, versityAdmin, versityBinary } from '../helpers/versity'
import type { Buckets, Store } from './target'

/** A store whose owner can revoke access of the deployment's key. */
export interface RevocableStore extends Store {
  /** Sets the buckets that the key may use; with none, the store does not accept the key. */
  grant(buckets: (keyof Buckets)[]): Promise<void>
  close(): Promise<void>
}

const region = 'us-east-1'
const key = { accessKeyId: 'actions', secretAccessKey: 'a-secret-of-the-actions' }

/** Versity S3 Gateway if it is installed, else the embedded store. The buckets must exist before the first grant. */
export const startRevocableStore = (buckets: Buckets): Promise<RevocableStore> =>
  versityBinary ? startGateway(buckets) : startEmbedded(buckets)

/** A key of the gateway may use the buckets that it owns. */
async function startGateway(buckets: Buckets): Promise<RevocableStore> {
  const { endpoint, close, accessKeyId, secretAccessKey } = await startVersity({ hasUsers: true })
  const admin = (verb: string, options: Record<string, string>) =>
    versityAdmin(endpoint, verb, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]))
  const { accessKeyId: access, secretAccessKey: secret } = key
  await admin('create-user', { access, secret, role: 'user' })
  return {
    own: { endpoint, region, accessKeyId, secretAccessKey },
    s3: { endpoint, region, ...key },
    name: 'Versity S3 Gateway with users',
    async grant(granted) {
      await admin('update-user', { access, secret: granted.length > 0 ? secret : 'replaced' })
      for (const [name, bucket] of Object.entries(buckets)) {
        const owner = granted.includes(name as keyof Buckets) ? access : accessKeyId
        await admin('change-bucket-owner', { bucket, owner })
      }
    },
    close,
  }
}

async function startEmbedded(buckets: Buckets): Promise<RevocableStore> {
  const dataDir = await newDataDir()
  const credentials = { accessKeyId: 'access', secretAccessKey: 'a-secret-for-tests' }
  const policy = await readPolicy('actions', buckets)
  const users = [{ ...key, policy }]
  const server = await startObjectStore({ dataDir, port: 0, region, credentials, users })
  const { endpoint } = server
  return {
    own: { endpoint, region, ...credentials },
    s3: { endpoint, region, ...key },
    name: 'the embedded store under docs/policies/actions.json',
    async grant(granted) {
      const isOf = (resource: string) => granted.some((name) => resource.split(/[:/]+/)[3] === buckets[name])
      const Statement = policy.Statement.map((one) => ({ ...one, Resource: one.Resource.filter(isOf) }))
      users.splice(0, 1, ...(granted.length > 0 ? [{ ...key, policy: { ...policy, Statement } }] : []))
    },
    async close() {
      await server.close()
      await removeDataDir(dataDir)
    },
  }
}
