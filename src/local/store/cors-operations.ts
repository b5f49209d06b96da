import { isDeepStrictEqual } from 'node:util'
import { commit } from './bucket'
import { type CorsRule, checkRule, corsSchema, preflightHeaders } from './cors'
import { textOf } from './payload'
import type { S3Request, S3Response } from './request'
import { s3Error } from './s3-error'
import { bucketOf, type Call, type Store } from './store'
import { fromXml, toXml } from './xml'

export function getCors({ store, request }: Call): S3Response {
  const { cors } = bucketOf(store, request.bucket)
  if (!cors) throw s3Error('NoSuchCORSConfiguration')
  return { xml: toXml('CORSConfiguration', { CORSRule: cors.map((rule) => ({ ...rule })) }) }
}

export async function putCors({ store, request, payload }: Call): Promise<S3Response> {
  const { CORSRule: cors } = fromXml(await textOf(payload), corsSchema).CORSConfiguration
  for (const rule of cors) checkRule(rule)
  setCors(store, request.bucket, cors)
  return {}
}

/** Writes no journal line for unchanged rules. */
export function setCors(store: Store, name: string, cors: CorsRule[]): void {
  const bucket = bucketOf(store, name)
  if (!isDeepStrictEqual(bucket.cors, cors)) commit(bucket, { cors })
}

export function deleteCors({ store, request }: Call): S3Response {
  commit(bucketOf(store, request.bucket), { cors: null })
  return { status: 204 }
}

/** Preflight requests are unsigned. */
export function preflight(store: Store, { bucket, headers }: S3Request): S3Response {
  return { headers: preflightHeaders(bucketOf(store, bucket).cors, headers) }
}
