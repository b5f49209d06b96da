import type S3 from 'ibm-cos-sdk/clients/s3'
import { isoOf } from '../clock'

/** A URL that reads an object without credentials. */
export interface HourlyUrl {
  url: string
  /** Until when it holds, ISO 8601. */
  expires: string
}

const hour = 60 * 60 * 1000
const life = 2 * hour

/**
 * Signs as of the full hour: within an hour a version of an object has one URL, by which caches know it, and that holds for
 * at least another hour.
 * @param open makes a client that signs nothing else; most who open a store sign nothing
 */
export function hourlySigner(open: () => S3): (bucket: string, key: string, version: string) => HourlyUrl {
  let s3: S3 | undefined
  return (Bucket, Key, version) => {
    s3 ??= open()
    const now = Date.now()
    const fullHour = now - (now % hour)
    // The SDK has no other way to tell it the date of a signature.
    s3.config.update({ systemClockOffset: fullHour - now })
    const url = s3.getSignedUrl('getObject', {
      Bucket,
      Key,
      Expires: life / 1000,
      // Of an object that is replaced caches must not know the new version by the URL of the old one.
      ResponseCacheControl: `private, max-age=${life / 1000}, immutable, version="${version}"`,
    })
    return { url, expires: isoOf(fullHour + life) }
  }
}
