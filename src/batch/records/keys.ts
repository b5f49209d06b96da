import { StorageError } from '../../errors'
import type { ImageRecord } from '../../schema'
import type { ObjectInfo } from '../../storage/store'

/** The order in which object stores list: by UTF-8 bytes. JavaScript's own is by UTF-16 units and differs for emoji. */
export function compareKeys(a: string, b: string): number {
  // Without a copy of the bytes: a list of a million images is compared twenty million times.
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (left !== right) return rankOf(left) - rankOf(right)
  }
  return a.length - b.length
}

/** Surrogates, of which emoji are made, come behind all other units of UTF-16. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** A key that listings have before another one, with little in between. */
export function keyBefore(key: string): string {
  const [last = ''] = key.match(/.$/su) ?? []
  const start = key.slice(0, key.length - last.length)
  return last > '!' && last <= '~' ? `${start}${String.fromCharCode(last.charCodeAt(0) - 1)}~` : start
}

/** The order in which a batch's records are read: by key, as stores list, and by bucket where keys are equal. */
export const comparePositions = (
  a: Pick<ImageRecord, 'key' | 'bucket'>,
  b: Pick<ImageRecord, 'key' | 'bucket'>,
): number => compareKeys(a.key, b.key) || compareKeys(a.bucket, b.bucket)

/**
 * Passes a listing on, and fails when it is not in order: the linear merge below would silently skip images.
 * @param after the key that the listing was to start after
 */
export async function* inOrder(listing: AsyncIterable<ObjectInfo>, after = ''): AsyncGenerator<ObjectInfo> {
  let previous = after
  for await (const object of listing) {
    if (compareKeys(object.key, previous) <= 0) {
      throw new StorageError(
        'listing_unordered',
        200,
        `The store listed "${object.key}" after "${previous}"`,
        {
          hint: 'Whisklens needs listings in UTF-8 byte order, as S3 specifies.',
        },
      )
    }
    previous = object.key
    yield object
  }
}
