// A write that met another version counts as successful.

import { StorageError } from '../../../src/errors'
import type { Bucket } from '../../../src/storage/store'
import { ObjectStore as Original } from '../store/bucket'

export * from '../store/bucket'

export class ObjectStore extends Original {
  override of = (process: Parameters<Original['view']>[0]) => ({
    bucket: (name: string) => {
      const bucket = this.view(process).bucket(name)
      const put: Bucket['put'] = async (key, ...rest) => {
        try {
          return await bucket.put(key, ...rest)
        } catch (thrown) {
          if (!(thrown instanceof StorageError && thrown.code === 'precondition_failed')) throw thrown
          return (await bucket.head(key))?.etag ?? ''
        }
      }
      return { ...bucket, put }
    },
  })
}
