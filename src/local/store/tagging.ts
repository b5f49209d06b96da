import * as z from 'zod'
import { isPermitted, requirePermission } from './access'
import { commit, type StoredObject } from './bucket'
import { textOf } from './payload'
import { header, type S3Response } from './request'
import { s3Error } from './s3-error'
import { bucketOf, type Call, objectOf } from './store'
import { fromXml, toXml } from './xml'

/** The tags of an object, by key. */
export type Tags = Record<string, string>

const limits = { tags: 10, key: 128, value: 256 }
/** Characters that S3 allows in keys and values. */
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

const tagSchema = z.object({ Key: z.string(), Value: z.string() })
const taggingSchema = z.object({
  // An empty element is parsed as empty text.
  Tagging: z.object({ TagSet: z.union([z.object({ Tag: z.array(tagSchema) }), z.literal('')]) }),
})

/** @throws HttpError as on S3 for tags that are too many, too long, duplicate or contain other characters */
function checked(pairs: [string, string][]): Tags {
  if (pairs.length > limits.tags)
    throw s3Error('BadRequest', `Object tags cannot be greater than ${limits.tags}`)
  for (const [key, value] of pairs) {
    const isRight = key !== '' && key.length <= limits.key && value.length <= limits.value
    if (!isRight || !allowed.test(key) || !allowed.test(value) || /^aws:/i.test(key))
      throw s3Error('InvalidTag')
  }
  const tags = Object.fromEntries(pairs)
  if (Object.keys(tags).length < pairs.length)
    throw s3Error('InvalidTag', 'Cannot provide multiple Tags with the same key')
  return tags
}

/** Tags in the `x-amz-tagging` header of a write. */
export function tagsOf({ request, user }: Call): Tags | undefined {
  const text = header(request, 'x-amz-tagging')
  if (text === undefined) return undefined
  requirePermission(user, 's3:PutObjectTagging', request.bucket, request.key)
  return checked([...new URLSearchParams(text)])
}

/** Tags of a copy: those of its source, unless the request replaces them. */
export const tagsOfCopy = (call: Call, source: StoredObject): Tags | undefined =>
  header(call.request, 'x-amz-tagging-directive')?.toUpperCase() === 'REPLACE' ? tagsOf(call) : source.tags

/** Header with the number of tags, for keys that may read them. */
export function tagCount({ request, user }: Call, { tags = {} }: StoredObject): Record<string, string> {
  const count = Object.keys(tags).length
  const isShown = count > 0 && isPermitted(user, 's3:GetObjectTagging', request.bucket, request.key)
  return isShown ? { 'x-amz-tagging-count': String(count) } : {}
}

const targetOf = ({ store, request, user }: Call) => {
  const bucket = bucketOf(store, request.bucket)
  return { bucket, object: objectOf(bucket, request.key, user) }
}

export function getTagging(call: Call): S3Response {
  const { tags = {} } = targetOf(call).object
  const Tag = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  return { xml: toXml('Tagging', { TagSet: { Tag } }) }
}

export async function putTagging(call: Call): Promise<S3Response> {
  const { TagSet } = fromXml(await textOf(call.payload), taggingSchema).Tagging
  const tags = checked((TagSet === '' ? [] : TagSet.Tag).map(({ Key, Value }) => [Key, Value]))
  return setTags(call, tags, 200)
}

export const deleteTagging = (call: Call): S3Response => setTags(call, {}, 204)

function setTags(call: Call, tags: Tags, status: number): S3Response {
  const { bucket, object } = targetOf(call)
  commit(bucket, { tag: object.key, tags })
  return { status }
}
