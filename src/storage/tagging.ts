import type S3 from 'ibm-cos-sdk/clients/s3'
import { asStorageError } from './errors'

export type Tags = Record<string, string>

/** Tags of a bucket's objects. Every method throws StorageError. */
export interface Tagging {
  /** All tags of an object. */
  tags(key: string): Promise<Tags>
  /** Replaces all tags of an object. S3 has no precondition for this: concurrent changes are overwritten. */
  putTags(key: string, tags: Tags): Promise<void>
}

/** Some stores respond with an error when there are no tags. */
const hasNone = (thrown: unknown): boolean => /^NoSuchTagSet/.test((thrown as { code?: string }).code ?? '')

export function openTagging(s3: S3, bucket: string): Tagging {
  const at = (key: string) => ({ Bucket: bucket, Key: key })
  return {
    tags: async (key) => {
      try {
        const { TagSet } = await s3.getObjectTagging(at(key)).promise()
        return Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]))
      } catch (thrown) {
        if (hasNone(thrown)) return {}
        throw asStorageError(thrown, `read the tags of s3://${bucket}/${key}`)
      }
    },
    putTags: async (key, tags) => {
      const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
      try {
        await s3.putObjectTagging({ ...at(key), Tagging: { TagSet } }).promise()
      } catch (thrown) {
        throw asStorageError(thrown, `write the tags of s3://${bucket}/${key}`)
      }
    },
  }
}
