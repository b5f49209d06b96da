import { initialRecord } from '../../src/batch/records/record'
import type { ImageRecord, ImageRef } from '../../src/schema'
import type { Contents, Kept } from '../../test/simulation/store/contents'
import { firstOf, keyOf, numberOf, uploadedAt } from './images'

export const modelVersion = 'efficientnet-lite0@00c0ffee'

/** Classes of the default model, for realistic record lengths. */
const classes = [
  ['tiger cat', 'tiger cat', 'n02123159'],
  ['Egyptian cat', 'Egyptian cat', 'n02124075'],
  ['tabby', 'tabby, tabby cat', 'n02123045'],
  ['lynx', 'lynx, catamount', 'n02127052'],
  ['espresso', 'espresso', 'n07920052'],
  ['tripod', 'tripod', 'n04485082'],
  ['missile', 'missile', 'n03773504'],
] as const

/** One image in this many is corrupt. */
const corruptEvery = 1000

/** Reference to an image, as in a chunk. */
export const refOf = (image: number, bucket: string): Required<ImageRef> => ({
  bucket,
  key: keyOf(image),
  etag: image.toString(16).padStart(32, '0'),
  size: 120_000,
  lastModified: uploadedAt,
})

/** A made-up record with realistic content. */
export function recordOf(
  image: number,
  made: { activationId: string; at: number; bucket: string },
): ImageRecord {
  const { bucket, ...rest } = made
  const record = initialRecord(refOf(image, bucket), { model: modelVersion, engine: 'wasm', ...rest })
  if (image % corruptEvery === corruptEvery - 1) {
    const message = 'The image ends before all of it was read'
    return { ...record, error: { code: 'image_corrupt', message, retryable: false, attempts: 1 } }
  }
  const labels = [0, 1, 2, 3, 4].map((rank) => {
    const [label, className, wordnetId] = classes[(image + rank) % classes.length] as (typeof classes)[number]
    return { label, className, wordnetId, index: rank, probability: Math.fround(0.61 / (rank + 1) ** 2) }
  })
  const timings = { download: 12, decode: 8.4, infer: 31.6 }
  return { ...record, status: 'ok', labels, width: 1024, height: 768, format: 'jpeg', timings }
}

/** Latest records of all images. Only their times are stored; the content is generated when read. */
export class Records implements Contents {
  private readonly written: Float64Array

  /** @param root prefix of the keys */
  constructor(
    private readonly total: number,
    private readonly root: string,
    private readonly bucket: string,
  ) {
    this.written = new Float64Array(total)
  }

  get(key: string): Kept | undefined {
    const image = numberOf(key)
    const at = this.written[image]
    if (!at) return undefined
    const record = recordOf(image, { activationId: '0', at, bucket: this.bucket })
    return { ...this.infoOf(image, at), body: Buffer.from(JSON.stringify(record)), metadata: {} }
  }

  put(key: string, body: Buffer, { now }: { now: number }): Kept {
    const image = numberOf(key)
    this.written[image] = now
    return { ...this.infoOf(image, now), body, metadata: {} }
  }

  delete(key: string): void {
    this.written[numberOf(key)] = 0
  }

  page(prefix: string, after: string, count: number) {
    const page = []
    // While a batch is planned, most records do not exist: generate names only for those that do.
    for (let image = firstOf(this.total, this.root, prefix, after); image < this.total; image++) {
      const at = this.written[image]
      if (!at) continue
      const info = this.infoOf(image, at)
      if (!info.key.startsWith(prefix) || page.push(info) === count) break
    }
    return page
  }

  private infoOf(image: number, at: number) {
    const lastModified = new Date(Math.floor(at / 1000) * 1000).toISOString()
    return { key: this.root + keyOf(image), etag: at.toString(16), size: 900, lastModified }
  }
}
