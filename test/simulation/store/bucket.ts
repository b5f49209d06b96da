import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { StorageError } from '../../../src/errors'
import type { Bucket, ObjectInfo, Store } from '../../../src/storage/store'
import { storeFaults } from '../faults'
import type { Process } from '../process'
import type { Wire } from '../wire'
import type { Contents } from './contents'
import { etagOfParts, Uploads } from './uploads'

/** The parts of a bucket. */
export interface Kept {
  contents: Contents
  uploads: Uploads
}

export interface StoreOptions {
  wire: Pick<Wire, 'request'>
  /** The store's clock, milliseconds since the epoch. */
  now(): number
  /** Length of a listing's first page; see `pageLengths`. */
  pageLength: number
  /** The minimum of an upload part, 5 MiB in S3. */
  partBytes: number
  /** Maximum read size for text, bytes. */
  blockBytes: number
}

/** A store in memory, which tests can break. */
export class ObjectStore {
  private readonly buckets = new Map<string, Kept>()
  /** Buckets whose keys are revoked. */
  denied: readonly string[] = []

  constructor(readonly options: StoreOptions) {}

  create(name: string, contents: Contents, uploads = new Uploads(this.options.partBytes)): void {
    this.buckets.set(name, { contents, uploads })
  }

  /** @throws StorageError */
  kept(name: string): Kept {
    if (this.denied.includes(name)) throw new StorageError('access_denied', 403, 'The keys are not valid')
    const kept = this.buckets.get(name)
    if (kept) return kept
    throw new StorageError('bucket_not_found', 404, `There is no bucket "${name}"`)
  }

  /** The current object, without a request. */
  peek = (name: string, key: string) => this.buckets.get(name)?.contents.get(key)

  /** The store as seen by a process. */
  view(process: Process): Store {
    return { bucket: (name) => openBucket(name, this, process) }
  }

  /** Overridden by tests that break the store. */
  of: (process: Process) => Store = (process) => this.view(process)
}

/** Page lengths of a listing: doubling up to S3's 1000, for speed. */
export function* pageLengths(first: number): Generator<number> {
  for (let length = first; ; length = Math.min(2 * length, 1000)) yield length
}

const readFaults = ['refused', 'lost request'] as const

const notFound = (name: string, key: string): StorageError =>
  new StorageError('object_not_found', 404, `There is no s3://${name}/${key}`)

const conflict = (): StorageError => new StorageError('precondition_failed', 412, 'It is another version')

/** Tags have no effect on crash behaviour. */
const notImplemented = (): never => {
  throw new StorageError('not_implemented', 501, 'There are no tags')
}

function openBucket(name: string, store: ObjectStore, process: Process): Bucket {
  const { wire, now, pageLength, blockBytes: largestBlock } = store.options
  const request = <T>(method: string, key: string, effect: (kept: Kept, fault?: string) => T): Promise<T> =>
    wire.request({
      process,
      name: `${method} ${name}/${key}`,
      faults: method === 'GET' || method === 'HEAD' || method === 'LIST' ? readFaults : storeFaults,
      effect: (fault) => effect(store.kept(name), fault),
      broken: () => new StorageError('store_failed', 0, 'The connection broke', { retryable: true }),
      refused: () => new StorageError('store_failed', 503, 'SlowDown', { retryable: true }),
    })
  const demand = ({ contents }: Kept, key: string, replaces: string | null | undefined): void => {
    if (replaces !== undefined && (contents.get(key)?.etag ?? null) !== replaces) throw conflict()
  }
  const find = (key: string) => request('GET', key, ({ contents }) => served(contents.get(key)))
  const served = (kept: ReturnType<Contents['get']>) =>
    // HTTP dates have whole seconds.
    kept && { ...kept, servedAt: Math.floor(now() / 1000) * 1000 }

  async function* list({ prefix = '', startAfter = '' }: { prefix?: string; startAfter?: string } = {}) {
    let after = startAfter
    for (const length of pageLengths(pageLength)) {
      const page = await request('LIST', `${prefix} ${after}`, ({ contents }): ObjectInfo[] =>
        contents.page(prefix, after, length),
      )
      yield* page
      const last = page.at(-1)
      if (!last || page.length < length) return
      after = last.key
    }
  }

  const put: Bucket['put'] = (key, body, { replaces, metadata } = {}) => {
    const before = store.peek(name, key)
    return request('PUT', key, (kept, fault) => {
      demand(kept, key, replaces)
      // Etags derive from bytes: if these return to an earlier version, a late write would pass.
      if (fault === 'landed late' && replaces && kept.contents.get(key) !== before) throw conflict()
      return kept.contents.put(key, Buffer.from(body), { metadata, now: now() }).etag
    })
  }

  const complete = (key: string, upload: string, etags: string[], replaces?: string | null) =>
    request('POST', key, (kept) => {
      const body = kept.uploads.join(key, upload, etags)
      demand(kept, key, replaces)
      kept.contents.put(key, body, { now: now(), etag: etagOfParts(etags) })
      kept.uploads.drop(upload)
    })

  return {
    name,
    list,
    find,
    put,
    get: async (key, maxBytes = Number.POSITIVE_INFINITY) => {
      const found = await find(key)
      if (!found) throw notFound(name, key)
      if (found.size > maxBytes) throw new StorageError('object_too_large', 200, `${found.size} bytes`)
      return found
    },
    beginning: (key, bytes) =>
      request('GET', key, ({ contents }) => {
        const found = contents.get(key)
        if (!found) throw notFound(name, key)
        return found.body.subarray(0, bytes)
      }),
    ending: (key, bytes) =>
      request('GET', key, ({ contents }) => {
        const found = contents.get(key)
        if (!found) throw notFound(name, key)
        return { body: found.body.subarray(-bytes), etag: found.etag, size: found.size }
      }),
    range: (key, start, end, etag) =>
      request('GET', `${key} from ${start}`, ({ contents }) => {
        const found = contents.get(key)
        if (!found) throw notFound(name, key)
        if (found.etag !== etag) throw conflict()
        return found.body.subarray(start, end)
      }),
    head: (key) =>
      request('HEAD', key, ({ contents }) => {
        const found = contents.get(key)
        return found && { key, etag: found.etag, size: found.size, lastModified: found.lastModified }
      }),
    delete: (key) => request('DELETE', key, ({ contents }) => contents.delete(key)),
    deleteAll: async (keys) => {
      for (let from = 0; from < keys.length; from += 1000)
        await request('DELETE', keys[from] ?? '', ({ contents }) => {
          for (const key of keys.slice(from, from + 1000)) contents.delete(key)
        })
    },
    lines: async function* (key, { from = 0, blockBytes = 1024 * 1024, etag } = {}) {
      const decoder = new StringDecoder('utf8')
      const length = Math.min(blockBytes, largestBlock)
      let version = etag
      let rest = ''
      for (let start = from, size = start + 1; start < size; start += length) {
        const block = await request('GET', `${key} from ${start}`, ({ contents }) => {
          const found = contents.get(key)
          if (!found) throw notFound(name, key)
          if (version !== undefined && found.etag !== version) throw conflict()
          return found
        })
        version = block.etag
        size = block.size
        const lines = `${rest}${decoder.write(block.body.subarray(start, start + length))}`.split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
      if (rest !== '') yield rest
    },
    folders: async function* (prefix, from = '') {
      for (let after = prefix + from; ; ) {
        const [found] = await request('LIST', `${prefix} ${after}`, ({ contents }) =>
          contents.page(prefix, after, 1),
        )
        if (!found) return
        const end = found.key.indexOf('/', prefix.length)
        if (end === -1) after = found.key
        else {
          yield found.key.slice(prefix.length, end)
          // The highest character, after everything in the folder.
          after = `${found.key.slice(0, end + 1)}\u{10ffff}`
        }
      }
    },
    putStream: async (key, body: Readable) => {
      const pieces: Buffer[] = []
      for await (const piece of body) pieces.push(Buffer.from(piece))
      return put(key, Buffer.concat(pieces))
    },
    tags: async () => notImplemented(),
    putTags: async () => notImplemented(),
    presign: (key, seconds) => `memory://${name}/${key}?${seconds}`,
    presignHourly: (key) => ({ url: `memory://${name}/${key}`, expires: '' }),
    createIfMissing: async () => {},
    beginUpload: (key) => request('POST', key, ({ uploads }) => uploads.begin(key)),
    uploadPart: (key, upload, number, body) =>
      request('PUT', `${key} part ${number}`, ({ uploads }) => uploads.put(key, upload, number, body)),
    copyPart: (key, upload, number, from) =>
      request('PUT', `${key} part ${number} from ${from}`, ({ contents, uploads }) => {
        const source = contents.get(from)
        if (!source) throw notFound(name, from)
        return uploads.put(key, upload, number, source.body)
      }),
    completeUpload: async (key, upload, etags, replaces) => {
      try {
        await complete(key, upload, etags, replaces)
      } catch (thrown) {
        // Like the real client: an SDK retry may meet the upload it has completed itself.
        const isGone = thrown instanceof StorageError && thrown.code === 'upload_not_found'
        if (!isGone || (await find(key))?.etag !== etagOfParts(etags)) throw thrown
      }
    },
    abortUpload: (key, upload) => request('DELETE', key, ({ uploads }) => uploads.drop(upload)),
  }
}
