// Writes ignore the version they may replace.

import { ObjectStore as Original } from '../store/bucket'

export * from '../store/bucket'

export class ObjectStore extends Original {
  override of = (process: Parameters<Original['view']>[0]) => ({
    bucket: (name: string) => {
      const bucket = this.view(process).bucket(name)
      return {
        ...bucket,
        put: (key: string, body: Buffer | string, options: object = {}) =>
          bucket.put(key, body, { ...options, replaces: undefined }),
        completeUpload: (key: string, upload: string, etags: string[]) =>
          bucket.completeUpload(key, upload, etags),
      }
    },
  })
}
