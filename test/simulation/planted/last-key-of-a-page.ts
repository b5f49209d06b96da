// The last key of each full page of a listing is dropped.

import { ObjectStore as Original, pageLengths } from '../store/bucket'

export * from '../store/bucket'

export class ObjectStore extends Original {
  override of = (process: Parameters<Original['view']>[0]) => ({
    bucket: (name: string) => {
      const bucket = this.view(process).bucket(name)
      const { pageLength } = this.options
      return {
        ...bucket,
        async *list(options?: { prefix?: string; startAfter?: string }) {
          const lengths = pageLengths(pageLength)
          let left = 0
          for await (const object of bucket.list(options)) {
            left = (left || lengths.next().value) - 1
            if (left > 0) yield object
          }
        },
      }
    },
  })
}
