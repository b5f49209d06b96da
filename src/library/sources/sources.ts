import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { signatureBytes } from '../../classifier/signature'
import { InvalidInputError, WhisklensError } from '../../errors'
import { maxImageBytes } from '../../image-files'
import type { Store } from '../../storage/store'
import { type Problem, problemOf } from '../classify/task'
import type { ImageSource } from '../types/classification'
import { identify, imagesAmong, type SkippedFile } from './find-images'
import { type Glob, splitGlob } from './globs'
import { type FoundFile, walk } from './walk'

/** One image to classify. */
export interface Source {
  /** Name in results: a path, `s3://bucket/key`, a URL, `-`, or the name passed with the bytes. */
  file: string
  /** Reads an image that a worker cannot open by path. */
  download?: () => Promise<Uint8Array>
  /** Set if the image cannot be classified. */
  error?: Problem
  /** Found rather than named, in a format that is not decoded. */
  isUndecoded?: boolean
}

/** How to reach images in a store, and what to do with other files. */
export interface SourceContext {
  /** Opened for the first `s3://` address. */
  store: () => Store | Promise<Store>
  /** Called for each file that is not an image. */
  skip: (file: SkippedFile) => void
}

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text)

/**
 * Finds the images of a path, glob, `s3://bucket/prefix`, URL or bytes, lazily and in order. Images named explicitly are always
 * included; for the others see {@link imagesAmong}.
 * @throws InvalidInputError for any other source
 */
export async function* sourcesOf(given: ImageSource, { store, skip }: SourceContext): AsyncGenerator<Source> {
  const from = resolveSource(given)
  if (typeof from !== 'string') yield { file: from.name, download: async () => unshared(from.bytes) }
  else if (from.startsWith('s3://')) yield* objectsOf(from, await store(), skip)
  else if (isUrl(from)) yield { file: from, download: () => fetchImage(from) }
  else yield* filesOf(from, skip)
}

/**
 * Reads one image: a file, an object, a URL, or bytes.
 * @throws InvalidInputError for any other source
 * @throws WhisklensError if it cannot be read
 */
export async function readSource(given: ImageSource, store: SourceContext['store']): Promise<Uint8Array> {
  const from = resolveSource(given)
  if (typeof from !== 'string') return from.bytes
  if (isUrl(from)) return fetchImage(from)
  if (!from.startsWith('s3://')) return (await import('./read-image')).readImage(from)
  const { bucket, path } = parseS3Address(from)
  return (await (await store()).bucket(bucket).get(path, maxImageBytes)).body
}

/** A path, an address, or named bytes. */
function resolveSource(given: ImageSource): string | { name: string; bytes: Uint8Array } {
  if (typeof given === 'string' && given !== '') return given
  if (given instanceof URL) return given.protocol === 'file:' ? fileURLToPath(given) : given.href
  if (given instanceof Uint8Array) return { name: '', bytes: given }
  if (typeof given === 'object' && given?.bytes instanceof Uint8Array) return given
  const what = 'a path, a URL, an s3:// address, a Uint8Array, or { name, bytes }'
  throw new InvalidInputError('bad_parameter', `Expected ${what} as an image`)
}

/** Posting a view to a worker copies its whole underlying buffer. */
const unshared = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)

/** Loaded on demand. */
const fetchImage = async (url: string): Promise<Uint8Array> => (await import('./fetch-image')).fetchImage(url)

async function* filesOf(path: string, skip: SourceContext['skip']): AsyncGenerator<Source> {
  const glob = existsSync(path) ? undefined : splitGlob(path)
  const files = glob ? matching(glob) : walk([path])
  let found = 0
  for await (const { path: file, isGiven, problem } of imagesAmong(files, skip)) {
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

/** Brackets and braces are ordinary characters in keys. */
const wildcards = /[*?]/

function parseS3Address(address: string): { bucket: string; path: string } {
  const [, bucket, path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(address) ?? []
  if (bucket) return { bucket, path }
  throw new InvalidInputError('bad_parameter', `Expected s3://bucket/prefix instead of ${address}`)
}

async function* objectsOf(
  address: string,
  store: Store,
  skip: SourceContext['skip'],
): AsyncGenerator<Source> {
  const { bucket: name, path } = parseS3Address(address)
  const bucket = store.bucket(name)
  const { base, matches } = splitGlob(path, wildcards) ?? { base: path, matches: () => true }
  for await (const { key, size } of bucket.list({ prefix: base })) {
    // Folder markers, as created by S3 consoles.
    if ((key.endsWith('/') && size === 0) || !matches(key.slice(base.length))) continue
    const file = `s3://${name}/${key}`
    const download = async () => (await bucket.get(key, maxImageBytes)).body
    const begin = () => bucket.beginning(key, signatureBytes)
    const { isImage, problem } = key === path ? { isImage: true } : await identify(key, begin)
    if (isImage) yield { file, download, error: problem && problemOf(problem), isUndecoded: !!problem }
    else skip({ path: file, name: key })
  }
}
