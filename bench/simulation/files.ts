import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectInfo } from '../../src/storage/store'
import { type Contents, isBefore, lowerBound, type Metadata } from './contents'

/** Bytes, or the files that hold them one after the other. */
type Body = Buffer | string[]

interface Entry {
  info: ObjectInfo
  metadata: Metadata
  body: Body
}

/** Bodies up to this size stay in memory, bytes: mostly state that is written over and over. */
const smallBody = 4096

/** Objects whose bodies lie in files. All of it is synchronous: real time does not count here. */
export class Files implements Contents {
  private readonly entries = new Map<string, Entry>()
  /** Of all entries, in order. */
  private readonly keys: string[] = []
  private filesMade = 0
  private versions = 0

  /** @param folder to write to; the caller's to remove */
  constructor(private readonly folder: string) {}

  info(key: string): ObjectInfo | undefined {
    return this.entries.get(key)?.info
  }

  body(key: string): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.pieces(key)
    return others.length === 0 ? first : Buffer.concat([first, ...others])
  }

  /** The body of an object of any size, piece by piece. */
  *pieces(key: string): Generator<Buffer> {
    const body = this.entries.get(key)?.body ?? []
    if (Buffer.isBuffer(body)) yield body
    else for (const file of body) yield readFileSync(file)
  }

  metadata(key: string): Metadata {
    return this.entries.get(key)?.metadata ?? {}
  }

  put(key: string, body: Buffer, metadata: Metadata = {}): ObjectInfo {
    return this.keep(key, body.length > smallBody ? [this.write(body)] : body, body.length, metadata)
  }

  /** Makes an object of files that {@link write} wrote. */
  putFiles(key: string, files: string[], size: number): ObjectInfo {
    return this.keep(key, files, size, {})
  }

  write(body: Buffer): string {
    const file = join(this.folder, String(++this.filesMade))
    writeFileSync(file, body)
    return file
  }

  remove(file: string): void {
    unlinkSync(file)
  }

  delete(key: string): void {
    const entry = this.entries.get(key)
    if (!entry) return
    this.removeFiles(entry)
    this.entries.delete(key)
    this.keys.splice(this.placeOf(key), 1)
  }

  page(prefix: string, after: string, count: number): ObjectInfo[] {
    const page: ObjectInfo[] = []
    const start = lowerBound(this.keys.length, (place) => isBefore(this.keys[place] ?? '', prefix, after))
    for (const key of this.keys.slice(start, start + count)) {
      const info = this.info(key)
      if (info && key.startsWith(prefix)) page.push(info)
    }
    return page
  }

  private keep(key: string, body: Body, size: number, metadata: Metadata): ObjectInfo {
    const etag = (++this.versions).toString(16).padStart(32, '0')
    const info = { key, etag, size, lastModified: new Date().toISOString() }
    const former = this.entries.get(key)
    if (former) this.removeFiles(former)
    else this.keys.splice(this.placeOf(key), 0, key)
    this.entries.set(key, { info, metadata, body })
    return info
  }

  private placeOf(key: string): number {
    return lowerBound(this.keys.length, (place) => (this.keys[place] ?? '') < key)
  }

  private removeFiles({ body }: Entry): void {
    if (!Buffer.isBuffer(body)) for (const file of body) this.remove(file)
  }
}
