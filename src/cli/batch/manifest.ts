import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { batchFolder } from '../../batch/state/layout'
import { WhisklensError } from '../../errors'
import { asFileError } from '../../library/sources/walk'
import type { Bucket } from '../../storage/store'

/** A list of images for a batch. */
export interface Manifest {
  /** `s3://bucket/key`. */
  address: string
  /** Deletes the uploaded copy, if one was made. */
  remove(): Promise<void>
}

/**
 * Makes a list of images readable for actions: a local file, or stdin for `-`, is decompressed if necessary and uploaded to the
 * results bucket. The key depends on the batch and the content.
 * @param given a path, `-`, or `s3://bucket/key`, which is used as it is
 */
export async function uploadManifest(given: string, batch: string, results: Bucket): Promise<Manifest> {
  if (given.startsWith('s3://')) return { address: given, remove: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-list-'))
  try {
    const copy = join(folder, 'list')
    await copyList(given, copy)
    const key = `${batchFolder(batch)}manifest-${(await sha256OfFile(copy)).slice(0, 16)}`
    const isThere = (await results.head(key)) !== undefined
    if (!isThere) await results.putStream(key, createReadStream(copy), 'text/plain; charset=utf-8')
    return {
      address: `s3://${results.name}/${key}`,
      remove: async () => {
        if (!isThere) await results.delete(key)
      },
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function copyList(given: string, copy: string): Promise<void> {
  if (given === '-') {
    if (process.stdin.isTTY)
      throw new WhisklensError('nothing_found', 'Expected a list of images on stdin', {
        hint: "Pipe it in: grep '\\.jpg$' keys.txt | whisklens batch --manifest -",
      })
    const piped = `${copy}.piped`
    await pipeline(process.stdin, createWriteStream(piped))
    return unpackList(piped, copy)
  }
  try {
    await unpackList(given, copy)
  } catch (thrown) {
    throw asFileError(thrown, given)
  }
}

async function unpackList(given: string, copy: string): Promise<void> {
  const isCompressed = (await firstBytes(given, 2)).equals(Buffer.from([0x1f, 0x8b]))
  const source: Readable = createReadStream(given)
  await (isCompressed
    ? pipeline(source, createGunzip(), createWriteStream(copy))
    : pipeline(source, createWriteStream(copy)))
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
