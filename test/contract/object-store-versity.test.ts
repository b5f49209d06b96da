import { startVersity, withVersity } from '../helpers/versity'
import { objectStoreContract } from './object-store-cases'

describe.each([false, true])('with versions: %s', (hasVersions) => {
  withVersity('Versity S3 Gateway', () => {
    let close: () => Promise<void>

    objectStoreContract(async () => {
      const gateway = await startVersity({ hasVersions })
      close = gateway.close
      return { ...gateway, hasVersions, countsDeleted: hasVersions }
    })

    afterAll(() => close())
  })
})
