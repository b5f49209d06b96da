import type { Contents, Kept } from '../../test/simulation/store/contents'

/** The images' folder in their bucket. */
export const prefix = 'photos/'

const nameLength = 8

/** The key of the image with a number; all of them lie in the order of their numbers. */
export const keyOf = (image: number): string => `${prefix}${String(image).padStart(nameLength, '0')}.jpg`

export const numberOf = (key: string): number => Number(key.slice(-nameLength - 4, -4))

/** Long before: a listing alone tells that a record is newer. */
export const uploadedAt = '2026-11-20T08:00:00.000Z'

/** The first of so many numbers whose key, behind `root`, is not before what a listing asks for. */
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

/** The numbers of those images whose keys, behind `root`, a listing has. */
export function* numbersOf(total: number, root: string, prefix: string, after: string): Generator<number> {
  for (let image = firstOf(total, root, prefix, after); image < total; image++) {
    if (!(root + keyOf(image)).startsWith(prefix)) return
    yield image
  }
}

const refuse = (): never => {
  throw new Error('There are no images here, only their names')
}

/** A bucket of images that are made up from their numbers. Those that were uploaded since are told apart by their time. */
export class Images implements Contents {
  /** When an image was uploaded, milliseconds since the epoch; 0 for long ago. */
  private readonly uploaded: Float64Array

  /** @param there how many there are from the beginning */
  constructor(
    total: number,
    private there = total,
  ) {
    this.uploaded = new Float64Array(there < total ? total : 0)
  }

  /** The next image comes. @returns its key */
  upload(now: number): string {
    this.uploaded[this.there] = Math.floor(now / 1000) * 1000
    return keyOf(this.there++)
  }

  get(key: string): Kept | undefined {
    const image = numberOf(key)
    return image < this.there ? this.infoOf(image) : undefined
  }

  page(prefix: string, after: string, count: number) {
    const page: Kept[] = []
    for (const image of numbersOf(this.there, '', prefix, after))
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
