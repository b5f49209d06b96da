import { startVersity, withVersity } from '../helpers/versity'
import { credentials, temporaryStore } from '../unit/object-store-client'
import { taggingContract } from './tagging-cases'

describe('tags in the embedded object store', () => {
  let close: () => Promise<void>
  taggingContract(async () => {
    const { endpoint, remove } = await temporaryStore({})
    close = remove
    return { endpoint, region: 'us-east-1', ...credentials }
  })
  afterAll(() => close())
})

withVersity('tags in Versity S3 Gateway', () => {
  let close: () => Promise<void>
  taggingContract(async () => {
    const gateway = await startVersity()
    close = gateway.close
    return gateway
  })
  afterAll(() => close())
})
