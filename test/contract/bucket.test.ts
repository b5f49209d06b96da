import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settingsFromParams } from '../../src/config'
import { type ObjectStore, startObjectStore } from '../../src/local/store/server'
import { openStore } from '../../src/storage/store'
import { bucketContract } from './bucket-cases'

describe('the client over the embedded object store', () => {
  let server: ObjectStore
  let dataDir: string
  let made = 0

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'whisklens-bucket-'))
    const credentials = { accessKeyId: 'access', secretAccessKey: 'secret' }
    server = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
  })

  afterAll(async () => {
    await server.close()
    await rm(dataDir, { recursive: true })
  })

  bucketContract(async () => {
    const store = openStore(
      settingsFromParams({
        s3Endpoint: server.endpoint,
        s3AccessKeyId: 'access',
        s3SecretAccessKey: 'secret',
      }),
    )
    const bucket = store.bucket(`bucket-${++made}`)
    await bucket.createIfMissing()
    return bucket
  })
})
