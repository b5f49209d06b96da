import type { ObjectInfo } from '../../src/storage/store'
import { type Contents, isBefore, lowerBound } from './contents'

/** The images' folder in their bucket. */
export const prefix = 'photos/'

const nameLength = 7

/** The key of the image with a number; as many as seven digits count lie in the order of their numbers. */
export const keyOf = (image: number): string => `${prefix}${String(image).padStart(nameLength, '0')}.jpg`

export const numberOf = (key: string): number => Number(key.slice(-nameLength - 4, -4))

/** Numbers of those among `total` images whose keys, behind `root`, are a page of a listing. */
export function* numbersOf(total: number, root: string, prefix: string, after: string): Generator<number> {
  const start = lowerBound(total, (image) => isBefore(root + keyOf(image), prefix, after))
  for (let image = start; image < total && (root + keyOf(image)).startsWith(prefix); image++) yield image
}

/** What a listing says of an image. */
export const infoOf = (image: number, lastModified: string): ObjectInfo => ({
  key: keyOf(image),
  etag: image.toString(16).padStart(32, '0'),
  size: 120_000,
  lastModified,
})

/** A bucket of images that is made up from their number alone. */
export function imagesContents(total: number, lastModified: string): Contents {
  const refuse = (): never => {
    throw new Error('There are no images here, only their names')
  }
  return {
    info: (key) => (numberOf(key) < total ? infoOf(numberOf(key), lastModified) : undefined),
    body: refuse,
    metadata: () => ({}),
    put: refuse,
    delete: refuse,
    page: (prefix, after, count) => {
      const page: ObjectInfo[] = []
      for (const image of numbersOf(total, '', prefix, after)) {
        if (page.push(infoOf(image, lastModified)) === count) break
      }
      return page
    },
  }
}
