import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { homeFolder } from '../paths'
import type { CorsRule } from './store/cors'
import { type Policy, parsePolicy } from './store/policy'

/** Reads a policy from `docs/policies/`, with the bucket names of a deployment. */
export async function readPolicy(
  name: 'actions' | 'uploader' | 'reader' | 'tags',
  { imagesBucket, resultsBucket }: { imagesBucket: string; resultsBucket: string },
): Promise<Policy> {
  const buckets: Record<string, string> = { images: imagesBucket, results: resultsBucket }
  const { Statement, ...policy } = parsePolicy(await readDocument(name))
  const named = (resource: string): string =>
    resource.replace(/^(arn:aws:s3:::)([^/]+)/, (_, arn, bucket) => `${arn}${buckets[bucket] ?? bucket}`)
  return {
    ...policy,
    Statement: Statement.map((statement) => ({ ...statement, Resource: statement.Resource.map(named) })),
  }
}

const readDocument = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(homeFolder(), 'docs', 'policies', `${name}.json`), 'utf8'))

const texts = z.array(z.string())
/** Format of `aws s3api put-bucket-cors`. */
const corsSchema = z.strictObject({
  CORSRules: z.array(
    z.strictObject({
      AllowedOrigins: texts,
      AllowedMethods: texts,
      AllowedHeaders: texts,
      ExposeHeaders: texts,
      MaxAgeSeconds: z.int(),
    }),
  ),
})

/** Reads the rules of `docs/policies/cors.json` for the origins of a deployment. */
export async function readCors(origins: string[]): Promise<CorsRule[]> {
  const { CORSRules } = corsSchema.parse(await readDocument('cors'))
  return CORSRules.map(({ AllowedMethods, AllowedHeaders, ExposeHeaders, MaxAgeSeconds }) => ({
    AllowedOrigin: origins,
    AllowedMethod: AllowedMethods,
    AllowedHeader: AllowedHeaders,
    ExposeHeader: ExposeHeaders,
    MaxAgeSeconds,
  }))
}
