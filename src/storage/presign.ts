import type S3 from 'ibm-cos-sdk/clients/s3'
import { isoOf } from '../clock'

/** A URL that reads an object without credentials. */
export interface HourlyUrl {
  url: string
  /** When it expires, ISO 8601. */
  expires: string
}

const hour = 60 * 60 * 1000
const life = 2 * hour

/**
 * Signs URLs as of the full hour: for an hour the URL of an object version stays the same, so that caches can use it.
 * It is valid for at least another hour.
 * @param open creates a client for signing only, when first needed
 */
export function hourlySigner(open: () => S3): (bucket: string, key: string, version: string) => HourlyUrl {
  let s3: S3 | undefined
  return (Bucket, Key, version) => {
    s3 ??= open()
    const now = Date.now()
    const fullHour = now - (now % hour)
    // The only way to set the SDK's signing date.
    s3.config.update({ systemClockOffset: fullHour - now })
    const url = s3.getSignedUrl('getObject', {
      Bucket,
      Key,
      Expires: life / 1000,
      // Gives each version its own URL, so that caches do not serve the old one.
      ResponseCacheControl: `private, max-age=${life / 1000}, immutable, version="${version}"`,
    })
    return { url, expires: isoOf(fullHour + life) }
  }
}
