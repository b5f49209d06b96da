import { settingsFromParams } from '../../src/config'
import { openStore, type Store } from '../../src/storage/store'
import { startVersity, withVersity } from '../helpers/versity'
import { startTestStore } from '../unit/batch-fixtures'
import { listContract } from './lists-cases'

async function bucketsOf(store: Store) {
  const [images, results] = [store.bucket('contract-images'), store.bucket('contract-results')]
  await images.createIfMissing()
  await results.createIfMissing()
  return { store, images, results }
}

describe('lists of images in the embedded object store', () => {
  let close: () => Promise<void>
  listContract(async () => {
    const objects = await startTestStore()
    close = objects.close
    return bucketsOf(objects.store)
  })
  afterAll(() => close())
})

withVersity('lists of images in Versity S3 Gateway', () => {
  let close: () => Promise<void>
  listContract(async () => {
    const gateway = await startVersity()
    close = gateway.close
    return bucketsOf(
      openStore(
        settingsFromParams({
          s3Endpoint: gateway.endpoint,
          s3AccessKeyId: gateway.accessKeyId,
          s3SecretAccessKey: gateway.secretAccessKey,
        }),
      ),
    )
  })
  afterAll(() => close())
})
