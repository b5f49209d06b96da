import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ObjectStore, startObjectStore } from '../../src/local/store/server'
import { objectStoreContract } from './object-store-cases'

describe('the embedded object store', () => {
  const credentials = { accessKeyId: 'access', secretAccessKey: 'secret' }
  const region = 'us-east-1'
  let store: ObjectStore
  let dataDir: string

  objectStoreContract(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'whisklens-store-'))
    store = await startObjectStore({ dataDir, port: 0, region, credentials })
    return { endpoint: store.endpoint, region, ...credentials }
  })

  afterAll(async () => {
    await store.close()
    await rm(dataDir, { recursive: true })
  })
})
