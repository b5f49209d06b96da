import type { BatchSummary } from '../../src/schema'
import { clientsOf } from '../helpers/clients'
import { sample, sampleNames } from '../helpers/images'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'
import { clientOf } from '../helpers/policy-cases'

const encryption = 'AES256'

let local: RunningLocal
let clients: ReturnType<typeof clientsOf>

beforeAll(async () => {
  process.env.WHISKLENS_S3_ENCRYPTION = encryption
  local = await startLocalMode(await newDataDir())
  // Commands must detect it themselves.
  delete process.env.WHISKLENS_S3_ENCRYPTION
  clients = clientsOf(local.connection)
})
afterAll(async () => {
  await local.stop()
  await removeDataDir(local.dataDir)
})

const run = (...args: string[]) => whisklens(args, { WHISKLENS_DATA: local.dataDir })

/** A client with the actions' key. */
async function asActions() {
  const { parameters = [] } = await clients.ow.packages.get({ name: 'whisklens' })
  const input = (name: string): string => parameters.find(({ key }) => key === name)?.value
  return clientOf(input('s3Endpoint'), {
    accessKeyId: input('s3AccessKeyId'),
    secretAccessKey: input('s3SecretAccessKey'),
  })
}

describe('a local mode whose store requires encryption', () => {
  it('classifies uploads and batches, and encrypts all it writes', async () => {
    const { code } = await run('upload', 'samples', '--prefix', 'photos/', '--quiet')
    expect(code).toBe(0)
    await eventually(
      async () => (await clients.keys('images/')).length === sampleNames.length,
      'records of the uploads',
    )
    const batch = await run('batch', 'photos/', '--batch', 'all', '--force', '--json')
    expect([batch.code, batch.stderr]).toEqual([0, expect.any(String)])
    const { totals } = JSON.parse(batch.stdout.trim().split('\n').at(-1) ?? '') as BatchSummary
    expect(totals).toMatchObject({ ok: sampleNames.length, error: 0 })
    for (const Key of await clients.keys('')) {
      const head = await clients.store.headObject({ Bucket: 'results', Key }).promise()
      expect([Key, head.ServerSideEncryption]).toEqual([Key, encryption])
    }
  })

  it('refuses unencrypted writes', async () => {
    await expect(clients.upload('photos/plain.jpg', sample('cat'))).rejects.toMatchObject({
      code: 'AccessDenied',
    })
  })

  it('lets its actions do what their policy allows, and no more', async () => {
    const s3 = await asActions()
    const Key = 'photos/cat.jpg'
    const write = { Key, Body: 'x', ServerSideEncryption: encryption }
    await s3.getObject({ Bucket: 'images', Key }).promise()
    await s3.putObject({ Bucket: 'results', ...write }).promise()
    for (const refused of [
      s3.putObject({ Bucket: 'images', ...write }),
      s3.deleteObject({ Bucket: 'images', Key }),
      s3.createBucket({ Bucket: 'more' }),
      s3.listBuckets(),
    ])
      await expect(refused.promise()).rejects.toMatchObject({ code: 'AccessDenied' })
  })
})
