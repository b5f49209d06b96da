import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { homeFolder } from '../paths'
import { type Policy, parsePolicy } from './store/policy'

/** Reads a policy of `docs/policies/`, with its buckets replaced by a deployment's. */
export async function readPolicy(
  name: 'actions' | 'uploader' | 'reader' | 'tags',
  { imagesBucket, resultsBucket }: { imagesBucket: string; resultsBucket: string },
): Promise<Policy> {
  const path = join(homeFolder(), 'docs', 'policies', `${name}.json`)
  const buckets: Record<string, string> = { images: imagesBucket, results: resultsBucket }
  const { Statement, ...policy } = parsePolicy(JSON.parse(await readFile(path, 'utf8')))
  const named = (resource: string): string =>
    resource.replace(/^(arn:aws:s3:::)([^/]+)/, (_, arn, bucket) => `${arn}${buckets[bucket] ?? bucket}`)
  return {
    ...policy,
    Statement: Statement.map((statement) => ({ ...statement, Resource: statement.Resource.map(named) })),
  }
}
