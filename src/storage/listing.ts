import type S3 from 'ibm-cos-sdk/clients/s3'
import { asStorageError } from './errors'
import { unquote } from './multipart'
import type { ObjectInfo } from './store'

/** Lists a bucket. Every method throws StorageError. */
export interface Listing {
  /** Lists objects in the order of their keys' UTF-8 bytes, page by page. */
  list(options?: { prefix?: string; startAfter?: string }): AsyncGenerator<ObjectInfo>
  /** Lists the folders directly below a prefix that ends in a slash, after a name. */
  folders(prefix: string, after?: string): AsyncGenerator<string>
}

export const openListing = (s3: S3, name: string): Listing => ({
  list: async function* (options) {
    for await (const { Contents = [], EncodingType } of listPages(s3, name, options)) {
      for (const { Key = '', ETag, Size = 0, LastModified = new Date(0) } of Contents) {
        const key = decoded(Key, EncodingType)
        yield { key, etag: unquote(ETag), size: Size, lastModified: LastModified.toISOString() }
      }
    }
  },
  folders: async function* (prefix, after) {
    for await (const { CommonPrefixes = [], EncodingType } of listPages(s3, name, {
      prefix,
      startAfter: after && prefix + after,
      delimiter: '/',
    })) {
      for (const { Prefix = '' } of CommonPrefixes)
        yield decoded(Prefix, EncodingType).slice(prefix.length, -1)
    }
  },
})

const decoded = (key: string, encoding: string | undefined): string =>
  encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key

async function* listPages(
  s3: S3,
  name: string,
  { prefix, startAfter, delimiter }: { prefix?: string; startAfter?: string; delimiter?: string } = {},
): AsyncGenerator<S3.ListObjectsV2Output> {
  let token: string | undefined
  do {
    const page = await s3
      .listObjectsV2({
        Bucket: name,
        Prefix: prefix,
        StartAfter: startAfter,
        Delimiter: delimiter,
        ContinuationToken: token,
        // XML cannot carry every character of a key.
        EncodingType: 'url',
      })
      .promise()
      .catch((thrown) => {
        throw asStorageError(thrown, `list s3://${name}/${prefix ?? ''}`)
      })
    yield page
    token = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (token)
}
