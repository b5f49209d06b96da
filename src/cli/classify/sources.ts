import { existsSync } from 'node:fs'
import { signatureBytes } from '../../classifier/signature'
import { InvalidInputError, WhisklensError } from '../../errors'
import type { Store } from '../../storage/store'
import { imagesAmong, lookAt } from '../shared/find-images'
import { type Glob, splitGlob } from '../shared/globs'
import { countName, type Tally } from '../shared/image-names'
import { type FoundFile, walk } from '../shared/walk'
import { readStdin } from './read-image'
import { maxImageBytes, type Problem, problemOf } from './task'

/** One image that is to be classified. */
export interface Source {
  /** As it was given or found: a path, `s3://bucket/key`, a URL, or `-`. */
  file: string
  /** Reads it where a worker cannot. */
  download?: () => Promise<Uint8Array>
  /** Why it cannot be classified. */
  error?: Problem
  /** It was found, and not named, and is of a format that is not decoded. */
  isUndecoded?: boolean
}

/**
 * The images of paths, globs, `s3://bucket/prefix` addresses, URLs and stdin (`-`) in their order, found as they are asked
 * for. What is named itself always counts; for the rest see {@link imagesAmong}.
 * @param store opened when the first address needs it
 * @param others counts what is no image, by extension
 */
export async function* sourcesOf(paths: string[], store: () => Store, others: Tally): AsyncGenerator<Source> {
  for (const path of paths) {
    if (path === '-') yield { file: path, download: readStdin }
    else if (path.startsWith('s3://')) yield* objectsOf(path, store(), others)
    else if (/^https?:\/\//i.test(path)) yield { file: path, download: () => fetchImage(path) }
    else yield* filesOf(path, others)
  }
}

/** Loaded when a URL needs it. */
const fetchImage = async (url: string): Promise<Uint8Array> => (await import('./fetch-image')).fetchImage(url)

async function* filesOf(path: string, others: Tally): AsyncGenerator<Source> {
  const glob = existsSync(path) ? undefined : splitGlob(path)
  const files = glob ? matching(glob) : walk([path])
  let found = 0
  for await (const { path: file, isGiven, problem } of imagesAmong(files, others)) {
    found++
    const isUndecoded = !isGiven && problem?.code === 'image_unsupported'
    yield { file, error: problem && problemOf(problem), isUndecoded }
  }
  if (found > 0 || !glob) return
  const problem = new WhisklensError('file_not_found', `No image matches ${path}`)
  yield { file: path, error: problemOf(problem) }
}

async function* matching({ base, matches }: Glob): AsyncGenerator<FoundFile> {
  for await (const file of walk([base || '.'])) {
    if (matches(file.name) || file.problem?.code === 'access_denied') yield file
  }
}

/** Of keys, brackets and braces are as common as other characters. */
const wildcards = /[*?]/

async function* objectsOf(address: string, store: Store, others: Tally): AsyncGenerator<Source> {
  const [, name, path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(address) ?? []
  if (!name) throw new InvalidInputError('bad_parameter', `Expected s3://bucket/prefix instead of ${address}`)
  const bucket = store.bucket(name)
  const { base, matches } = splitGlob(path, wildcards) ?? { base: path, matches: () => true }
  for await (const { key, size } of bucket.list({ prefix: base })) {
    // Folder markers, as consoles create them.
    if ((key.endsWith('/') && size === 0) || !matches(key.slice(base.length))) continue
    const file = `s3://${name}/${key}`
    const download = async () => (await bucket.get(key, maxImageBytes)).body
    const begin = () => bucket.beginning(key, signatureBytes)
    const { isImage, problem } = key === path ? { isImage: true } : await lookAt(key, begin)
    if (isImage) yield { file, download, error: problem && problemOf(problem), isUndecoded: !!problem }
    else countName(others, key)
  }
}
