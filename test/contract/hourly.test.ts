import { settingsFromParams } from '../../src/config'
import { openStore } from '../../src/storage/store'
import { startVersity, withVersity } from '../helpers/versity'
import { setClock, startTestStore, type TestStore } from '../unit/batch-fixtures'
import { hourlyContract } from './hourly-cases'

describe('URLs of the embedded object store', () => {
  let objects: TestStore
  beforeAll(async () => {
    objects = await startTestStore()
  })
  afterAll(() => objects.close())

  hourlyContract(() => objects.newBucket())

  it('are valid for at least an hour whenever they are signed, and expire', async () => {
    const bucket = await objects.newBucket()
    await bucket.put('a', 'hello')
    const statusAt = async (url: string, time: string) => {
      setClock(time)
      return (await fetch(url)).status
    }
    setClock('2026-11-29T10:59:59.999Z')
    const { url, expires } = bucket.presignHourly('a', '')
    expect(expires).toBe('2026-11-29T12:00:00.000Z')
    // The store's clock is slow.
    expect(await statusAt(url, '2026-11-29T09:50:00Z')).toBe(200)
    expect(await statusAt(url, '2026-11-29T11:59:59Z')).toBe(200)
    expect(await statusAt(url, '2026-11-29T12:00:01Z')).toBe(403)
    jest.useRealTimers()
  })
})

withVersity('URLs of Versity S3 Gateway', () => {
  let close: () => Promise<void>

  hourlyContract(async () => {
    const gateway = await startVersity()
    close = gateway.close
    const { endpoint, accessKeyId, secretAccessKey } = gateway
    const settings = { s3Endpoint: endpoint, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey }
    const bucket = openStore(settingsFromParams(settings)).bucket('hourly')
    await bucket.createIfMissing()
    await bucket.put('a', '0123456789')
    expect((await bucket.ending('a', 4000)).size).toBe(10)
    return bucket
  })

  afterAll(() => close())
})
