import { InvalidInputError } from '../errors'
import type { Store } from '../storage/store'
import { maxImageBytes, type Problem, problemOf } from './classify-task'
import { isImageName, walk } from './walk'

/** One image that is to be classified. */
export interface Source {
  /** As it was given or found: a path, or `s3://bucket/key`. */
  file: string
  /** Reads it where a worker cannot. */
  download?: () => Promise<Uint8Array>
  /** Why it cannot be read. */
  error?: Problem
}

/**
 * The images of paths and `s3://bucket/prefix` addresses in their order, found as they are asked for. Below a folder or
 * prefix only what is named as an image counts; what is named itself always does.
 * @param store opened when the first address needs it
 */
export async function* sourcesOf(paths: string[], store: () => Store): AsyncGenerator<Source> {
  for (const path of paths) {
    if (path.startsWith('s3://')) yield* objectsOf(path, store())
    else for await (const { path: file, problem } of walk([path], isImageName)) yield sourceOf(file, problem)
  }
}

const sourceOf = (file: string, problem?: unknown): Source => ({
  file,
  error: problem ? problemOf(problem) : undefined,
})

async function* objectsOf(address: string, store: Store): AsyncGenerator<Source> {
  const [, name, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(address) ?? []
  if (!name) throw new InvalidInputError('bad_parameter', `Expected s3://bucket/prefix instead of ${address}`)
  const bucket = store.bucket(name)
  for await (const { key } of bucket.list({ prefix })) {
    if (key !== prefix && !isImageName(key)) continue
    const download = async () => (await bucket.get(key, maxImageBytes)).body
    yield { file: `s3://${name}/${key}`, download }
  }
}
