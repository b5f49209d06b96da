import { startMinio, withMinio } from '../helpers/minio'
import { startVersity, withVersity } from '../helpers/versity'
import { credentials, sendRaw, temporaryStore } from '../unit/object-store-client'
import { corsContract } from './cors-cases'

describe('CORS rules in the embedded object store', () => {
  let close: () => Promise<void>
  corsContract(async () => {
    const { endpoint, remove } = await temporaryStore({})
    close = remove
    return { endpoint, region: 'us-east-1', ...credentials }
  })
  afterAll(() => close())
})

withVersity('rules for pages of other origins in Versity S3 Gateway', () => {
  let close: () => Promise<void>
  corsContract(async () => {
    const gateway = await startVersity()
    close = gateway.close
    return gateway
  })
  afterAll(() => close())
})

withMinio('MinIO', () => {
  it('has no CORS per bucket: every page may read', async () => {
    const { endpoint, close } = await startMinio()
    try {
      const origin = 'https://gallery.example.com'
      const { headers } = await sendRaw(endpoint, { path: '/bucket/a.jpg', headers: { origin } })
      expect(headers['access-control-allow-origin']).toBe(origin)
    } finally {
      await close()
    }
  })
})
