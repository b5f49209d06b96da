import type { Contents, Kept } from '../../test/simulation/store/contents'

/** Key prefix of the images. */
export const prefix = 'photos/'

const nameLength = 8

/** Key of an image; keys sort by number. */
export const keyOf = (image: number): string => `${prefix}${String(image).padStart(nameLength, '0')}.jpg`

export const numberOf = (key: string): number => Number(key.slice(-nameLength - 4, -4))

/** Older than all records, so that a listing shows that records are newer. */
export const uploadedAt = '2026-11-20T08:00:00.000Z'

/** First number whose key, after `root`, is not before the start of a listing. */
export function firstOf(total: number, root: string, prefix: string, after: string): number {
  let [low, high] = [0, total]
  while (low < high) {
    const middle = (low + high) >>> 1
    const key = root + keyOf(middle)
    if (key < prefix || key <= after) low = middle + 1
    else high = middle
  }
  return low
}

/** Numbers of the images whose keys, after `root`, are in a listing. */
export function* numbersOf(total: number, root: string, prefix: string, after: string): Generator<number> {
  for (let image = firstOf(total, root, prefix, after); image < total; image++) {
    if (!(root + keyOf(image)).startsWith(prefix)) return
    yield image
  }
}

const refuse = (): never => {
  throw new Error('Simulated images have no content')
}

/** A bucket of images generated from their numbers. Images uploaded during the simulation have their upload time. */
export class Images implements Contents {
  /** Upload time of each image, milliseconds since the epoch; 0 for existing ones. */
  private readonly uploaded: Float64Array

  /** @param existing number of images at the start */
  constructor(
    total: number,
    private existing = total,
  ) {
    this.uploaded = new Float64Array(existing < total ? total : 0)
  }

  /** Uploads the next image. @returns its key */
  upload(now: number): string {
    this.uploaded[this.existing] = Math.floor(now / 1000) * 1000
    return keyOf(this.existing++)
  }

  get(key: string): Kept | undefined {
    const image = numberOf(key)
    return image < this.existing ? this.infoOf(image) : undefined
  }

  page(prefix: string, after: string, count: number) {
    const page: Kept[] = []
    for (const image of numbersOf(this.existing, '', prefix, after))
      if (page.push(this.infoOf(image)) === count) break
    return page
  }

  put = refuse
  delete = refuse

  private infoOf(image: number): Kept {
    const at = this.uploaded[image]
    return {
      key: keyOf(image),
      etag: image.toString(16).padStart(32, '0'),
      size: 120_000,
      lastModified: at ? new Date(at).toISOString() : uploadedAt,
      body: nothing,
      metadata: {},
    }
  }
}

const nothing = Buffer.alloc(0)
