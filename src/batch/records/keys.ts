import { StorageError } from '../../errors'
import type { ImageRecord } from '../../schema'
import type { ObjectInfo } from '../../storage/store'

/** The order of S3 listings: UTF-8 bytes. JavaScript compares UTF-16 units, which differs for emoji. */
export function compareKeys(a: string, b: string): number {
  // Without copying bytes: sorting a list of a million images compares twenty million times.
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (left !== right) return rankOf(left) - rankOf(right)
  }
  return a.length - b.length
}

/** Surrogates, which encode emoji, sort after all other UTF-16 units. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** A key shortly before another in a listing, to start a listing after. */
export function keyBefore(key: string): string {
  const [last = ''] = key.match(/.$/su) ?? []
  const start = key.slice(0, key.length - last.length)
  return last > '!' && last <= '~' ? `${start}${String.fromCharCode(last.charCodeAt(0) - 1)}~` : start
}

/** The order of a batch's records: by key, as stores list, then by bucket. */
export const comparePositions = (
  a: Pick<ImageRecord, 'key' | 'bucket'>,
  b: Pick<ImageRecord, 'key' | 'bucket'>,
): number => compareKeys(a.key, b.key) || compareKeys(a.bucket, b.bucket)

/**
 * Passes a listing on and fails when it is unordered: the merges that follow would silently skip images.
 * @param after the key that the listing starts after
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
          hint: 'Whisklens requires listings in UTF-8 byte order, as S3 specifies.',
        },
      )
    }
    previous = object.key
    yield object
  }
}
