import { StorageError } from '../../errors'
import type { ImageRecord } from '../../schema'
import type { ObjectInfo } from '../../storage/store'

/** The order in which object stores list: by UTF-8 bytes. JavaScript's own is by UTF-16 units and differs for emoji. */
export const compareKeys = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))

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
