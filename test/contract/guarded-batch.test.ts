import { settingsFromParams } from '../../src/config'
import { readPolicy } from '../../src/local/policies'
import { clientOf } from '../helpers/policy-cases'
import { credentials, temporaryStore } from '../unit/object-store-client'
import { guardedBatchContract, guardedBuckets } from './guarded-batch'

describe('a batch under the policy of the actions, with a session token and mandatory KMS encryption', () => {
  guardedBatchContract(async () => {
    const actions = {
      accessKeyId: 'actions',
      secretAccessKey: 'secret of the actions',
      sessionToken: 'token',
    }
    const users = [{ ...actions, policy: await readPolicy('actions', guardedBuckets) }]
    const { endpoint, remove } = await temporaryStore({ users, encryption: 'aws:kms' })
    const owner = clientOf(endpoint, credentials)
    for (const Bucket of Object.values(guardedBuckets)) await owner.createBucket({ Bucket }).promise()
    const settings = settingsFromParams({
      s3Endpoint: endpoint,
      s3AccessKeyId: actions.accessKeyId,
      s3SecretAccessKey: actions.secretAccessKey,
      s3SessionToken: actions.sessionToken,
      s3Encryption: 'aws:kms',
      s3KmsKeyId: 'key-1',
      ...guardedBuckets,
    })
    return { settings, owner, close: remove }
  })
})
