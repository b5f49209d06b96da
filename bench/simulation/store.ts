import { StorageError } from '../../src/errors'
import type { Bucket, ObjectInfo, Store } from '../../src/storage/store'
import type { VirtualClock } from './clock'
import type { Contents } from './contents'
import type { Files } from './files'
import { addRequests, areaOf, type Kind, type Requests } from './meter'
import type { Process } from './process'
import type { Uploads } from './uploads'

/** Names of the two buckets. */
export const buckets = { images: 'images', results: 'results' }

/** An object store without servers: contents, and what it takes to ask for them. */
export interface Storage {
  clock: VirtualClock
  /** Milliseconds that a request takes, and those for each megabyte that it moves. */
  delays: { request: number; megabyte: number }
  requests: Requests
  /** The images bucket. */
  images: Contents
  /** The results bucket: below `images/`, and all else. */
  records: Contents
  files: Files
  uploads: Uploads
}

const pageLength = 1000

/** The object store as one process sees it. */
export const storeOf = (storage: Storage, process: Process): Store => ({
  bucket: (name) => openBucket(name, storage, process),
})

function openBucket(name: string, storage: Storage, process: Process): Bucket {
  const { clock, delays, requests, files, uploads } = storage

  async function request(kind: Kind, key: string, bytes = 0): Promise<void> {
    await process.goOn()
    addRequests(requests, name === buckets.images ? 'images' : areaOf(key), kind)
    await clock.sleep(delays.request + (bytes / 1e6) * delays.megabyte)
    await process.goOn()
  }

  function contentsOf(key: string): Contents {
    if (name === buckets.images) return storage.images
    return areaOf(key) === 'records' ? storage.records : files
  }

  const find: Bucket['find'] = async (key) => {
    const contents = contentsOf(key)
    await request('GET', key, contents.info(key)?.size)
    const info = contents.info(key)
    return (
      info && { ...info, body: contents.body(key), metadata: contents.metadata(key), servedAt: clock.now }
    )
  }

  return {
    name,
    find,
    get: async (key) => {
      const found = await find(key)
      if (found) return found
      throw new StorageError('object_not_found', 404, `There is no s3://${name}/${key}`)
    },
    head: async (key) => {
      await request('HEAD', key)
      return contentsOf(key).info(key)
    },
    put: async (key, body, { replaces, metadata } = {}) => {
      const bytes = Buffer.from(body)
      await request('PUT', key, bytes.length)
      const contents = contentsOf(key)
      if (replaces !== undefined && (contents.info(key)?.etag ?? null) !== replaces) {
        throw new StorageError('precondition_failed', 412, `s3://${name}/${key} is another`)
      }
      return contents.put(key, bytes, metadata).etag
    },
    beginUpload: async (key) => {
      await request('POST', key)
      return uploads.begin(key)
    },
    uploadPart: async (key, upload, number, body) => {
      await request('PUT', key, body.length)
      return uploads.put(upload, number, body)
    },
    copyPart: async (key, upload, number, from) => {
      await request('PUT', key)
      return uploads.put(upload, number, contentsOf(from).body(from))
    },
    completeUpload: async (key, upload) => {
      await request('POST', key)
      uploads.complete(upload)
    },
    abortUpload: async (key, upload) => {
      await request('DELETE', key)
      uploads.abort(upload)
    },
    delete: async (key) => {
      await request('DELETE', key)
      contentsOf(key).delete(key)
    },
    list: async function* ({ prefix = '', startAfter = '' } = {}): AsyncGenerator<ObjectInfo> {
      let after = startAfter
      for (let isLast = false; !isLast; ) {
        await request('LIST', prefix)
        // One more shows whether another page follows.
        const found = contentsOf(prefix).page(prefix, after, pageLength + 1)
        isLast = found.length <= pageLength
        const page = found.slice(0, pageLength)
        after = page.at(-1)?.key ?? after
        yield* page
      }
    },
    lines: refuse,
    folders: refuse,
    putStream: refuse,
    deleteAll: async (keys) => {
      await request('POST', keys[0] ?? '')
      for (const key of keys) contentsOf(key).delete(key)
    },
    presign: refuse,
    createIfMissing: async () => {},
  }
}

function refuse(): never {
  throw new Error('No batch needs this of its store')
}

/** The lines of an object of any size. */
export function* linesOf(files: Files, key: string): Generator<string> {
  let rest = ''
  for (const piece of files.pieces(key)) {
    // A piece may end within a character; Latin-1 keeps its bytes apart.
    const lines = (rest + piece.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield Buffer.from(line, 'latin1').toString('utf8')
  }
  if (rest !== '') yield rest
}
