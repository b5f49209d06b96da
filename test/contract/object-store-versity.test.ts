import { startVersity, withVersity } from '../helpers/versity'
import { objectStoreContract } from './object-store-cases'

withVersity('Versity S3 Gateway', () => {
  let close: () => Promise<void>

  objectStoreContract(async () => {
    const gateway = await startVersity()
    close = gateway.close
    return gateway
  })

  afterAll(() => close())
})
