import { parsePolicy } from '../../src/local/store/policy'
import { clientOf } from '../helpers/policy-cases'
import { credentials, temporaryStore } from '../unit/object-store-client'
import { documentOf, policies, policyContract } from './policy-contract'

describe('the embedded object store', () => {
  policyContract(async () => {
    const users = await Promise.all(
      policies.map(async (policy) => ({
        accessKeyId: policy.replaceAll(' ', '-'),
        secretAccessKey: `secret of ${policy}`,
        sessionToken: `token of ${policy}`,
        policy: parsePolicy(await documentOf(policy)),
      })),
    )
    const { endpoint, remove } = await temporaryStore({ users })
    return {
      owner: clientOf(endpoint, credentials),
      as: (policy) => clientOf(endpoint, users[policies.indexOf(policy)] as object),
      close: remove,
    }
  })
})
