import { hash } from 'node:crypto'
import type { ObjectInfo } from '../../../src/storage/store'

/** A stored object. Bodies are immutable. */
export interface Kept extends ObjectInfo {
  body: Buffer
  metadata: Record<string, string>
}

/** The content of a bucket, without latency. */
export interface Contents {
  get(key: string): Kept | undefined
  /** @param etag if not the MD5 of the bytes */
  put(
    key: string,
    body: Buffer,
    more: { metadata?: Record<string, string>; now: number; etag?: string },
  ): Kept
  delete(key: string): void
  /** Objects in key order with `prefix`, after `after`. */
  page(prefix: string, after: string, count: number): ObjectInfo[]
}

export const md5 = (bytes: Buffer | string): string => hash('md5', bytes)

/** UTF-8 byte order: that of UTF-16 units, except that surrogates sort last. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** Objects in memory. */
export class Objects implements Contents {
  private readonly objects: Map<string, Kept>
  /** All keys, sorted. */
  private readonly keys: string[]
  /** Number of changes. */
  changes = 0
  /** Called for each write. */
  onPut: (object: Kept) => void = () => {}

  constructor(of?: Objects) {
    this.objects = new Map(of?.objects)
    this.keys = [...(of?.keys ?? [])]
  }

  get(key: string): Kept | undefined {
    return this.objects.get(key)
  }

  put(key: string, body: Buffer, more: Parameters<Contents['put']>[2]): Kept {
    const { metadata = {}, now, etag = md5(body) } = more
    // Stores have whole seconds.
    const lastModified = new Date(Math.floor(now / 1000) * 1000).toISOString()
    const object = { key, body, metadata, etag, size: body.length, lastModified }
    if (!this.objects.has(key)) this.keys.splice(this.placeOf(key), 0, key)
    this.objects.set(key, object)
    this.changes++
    this.onPut(object)
    return object
  }

  delete(key: string): void {
    if (!this.objects.delete(key)) return
    this.keys.splice(this.placeOf(key), 1)
    this.changes++
  }

  page(prefix: string, after: string, count: number): ObjectInfo[] {
    const page: ObjectInfo[] = []
    const isInside = compareBytes(after, prefix) >= 0
    let place = this.placeOf(isInside ? after : prefix)
    if (isInside && this.keys[place] === after) place++
    for (; page.length < count; place++) {
      const object = this.objects.get(this.keys[place] ?? '')
      if (!object?.key.startsWith(prefix)) break
      const { key, etag, size, lastModified } = object
      page.push({ key, etag, size, lastModified })
    }
    return page
  }

  /** The first position whose key is not before a given one. */
  private placeOf(key: string): number {
    let [low, high] = [0, this.keys.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareBytes(this.keys[middle] as string, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
