import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { uploadsBatch } from '../batch/uploads/day'
import { StorageError, WhisklensError } from '../errors'
import { imageType } from '../image-formats'
import { problemOf } from '../library/classify/task'
import { type ImageFile, imagesAmong } from '../library/sources/find-images'
import { asFileError, walk } from '../library/sources/walk'
import { readAhead } from '../read-ahead'
import type { Bucket } from '../storage/store'
import { needStore, resolveConnection, type StoreFlags, storeOptions } from './shared/connection'
import {
  exitCodeOf,
  next,
  note,
  type OutputOptions,
  outputOptions,
  plural,
  printable,
  printJson,
} from './shared/output'
import { startProgress } from './shared/progress'
import { countName, countSkipped, reportSkipped, type Tally } from './shared/skipped'

interface UploadOptions extends StoreFlags, OutputOptions {
  prefix: string
  bucket?: string
}

/** Concurrent uploads. */
const atOnce = 8

/** Files above this size, bytes, are streamed in parts. */
const streamedFrom = 8 * 1024 * 1024

/** `whisklens upload`. */
export function register(program: Command): void {
  const command = program
    .command('upload')
    .description('upload images to the images bucket, where each is classified on arrival')
    .argument(
      '<paths...>',
      'files, and folders, with all images below them; names that begin with a dot are skipped',
    )
    .option('--prefix <prefix>', 'prefix of all keys', '')
    .option('--bucket <name>', 'the bucket (default: WHISKLENS_IMAGES_BUCKET, images)')
  storeOptions(outputOptions(command, 'print {bucket, key, etag, size} per object, one per line'))
    .addHelpText(
      'after',
      `
The key is the prefix and the path below the folder. Uploading again replaces the object.

Examples:
  whisklens upload photos/                      # photos/2026/cat.jpg becomes 2026/cat.jpg
  whisklens upload photos/ --prefix photos/     # photos/2026/cat.jpg stays photos/2026/cat.jpg
  whisklens upload cat.jpg --bucket images --json`,
    )
    .action(run)
}

async function run(paths: string[], options: UploadOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const bucket = needStore(connection).bucket(options.bucket ?? connection.settings.imagesBucket)
  const counts = await uploadAll(paths, bucket, options)
  if (counts.found === 0) {
    throw new WhisklensError('nothing_found', `No image to upload in ${paths.join(', ')}`)
  }
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : ''
  const size =
    counts.bytes < 1e6 ? `${Math.ceil(counts.bytes / 1e3)} kB` : `${(counts.bytes / 1e6).toFixed(1)} MB`
  note(
    `Uploaded ${plural(counts.ok, 'file')} (${size}) to s3://${bucket.name}/${options.prefix}${failed}`,
    options,
  )
  process.exitCode = exitCodeOf(counts)
  const isWatched = bucket.name === connection.settings.imagesBucket
  if (counts.ok > 0 && isWatched) next(`whisklens results ${uploadsBatch(new Date().toISOString())}`, options)
}

/** Uploads all images and reports those that fail. */
async function uploadAll(paths: string[], bucket: Bucket, options: UploadOptions) {
  const progress = startProgress('files', options)
  const counts = { found: 0, ok: 0, failed: 0, bytes: 0 }
  const undecoded: Tally = new Map()
  const others: Tally = new Map()
  let isGrowing = true
  async function* files() {
    yield* imagesAmong(walk(paths), countSkipped(others))
    isGrowing = false
  }
  try {
    const outcomes = readAhead(files(), atOnce, (file) => {
      counts.found++
      return upload(file, bucket, options.prefix)
    })
    for await (const { file, object, error } of outcomes) {
      counts[error ? 'failed' : 'ok']++
      counts.bytes += object?.size ?? 0
      if (options.json) await printJson(object ?? { file, error: error && problemOf(error) })
      if (error?.code === 'image_unsupported') countName(undecoded, file)
      else if (error && !options.json) progress.say(`error: ${printable(error.message)}`)
      const { found: total, ok, failed: errors } = counts
      progress.update({ done: ok + errors, total, errors, isGrowing })
    }
  } finally {
    progress.stop()
  }
  reportSkipped(undecoded, others, options)
  return counts
}

interface Outcome {
  file: string
  object?: { bucket: string; key: string; etag: string; size: number }
  error?: WhisklensError
}

/** Returns the error of a single file; throws one that would affect every file. */
async function upload(
  { path, name, type, problem }: ImageFile,
  bucket: Bucket,
  prefix: string,
): Promise<Outcome> {
  if (problem) return { file: path, error: problem }
  const key = prefix + name
  try {
    return { file: path, object: { bucket: bucket.name, key, ...(await send(path, type, bucket, key)) } }
  } catch (thrown) {
    if (!(thrown instanceof StorageError)) return { file: path, error: asFileError(thrown, path) }
    if (thrown.retryable || ['bucket_not_found', 'access_denied', 'tls_untrusted'].includes(thrown.code))
      throw thrown
    return { file: path, error: thrown }
  }
}

async function send(
  path: string,
  type: string | undefined,
  bucket: Bucket,
  key: string,
): Promise<{ etag: string; size: number }> {
  const contentType = type ?? imageType(path) ?? 'application/octet-stream'
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size <= streamedFrom)
      return { etag: await bucket.put(key, await file.readFile(), { contentType }), size }
    return { etag: await bucket.putStream(key, file.createReadStream(), contentType), size }
  } finally {
    await file.close()
  }
}
