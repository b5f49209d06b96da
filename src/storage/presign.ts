import type S3 from 'ibm-cos-sdk/clients/s3'
import { isoOf } from '../clock'

/** A URL that reads an object without credentials. */
export interface HourlyUrl {
  url: string
  /** Until when it holds, ISO 8601. */
  expires: string
}

const hour = 60 * 60 * 1000

/**
 * Signs as of the full hour: within an hour an object has one URL, by which caches know it, and that holds for at least
 * another hour.
 * @param s3 a client that signs nothing else
 */
export function hourlySigner(s3: S3): (bucket: string, key: string) => HourlyUrl {
  return (Bucket, Key) => {
    const now = Date.now()
    const fullHour = now - (now % hour)
    // The SDK has no other way to tell it the date of a signature.
    s3.config.update({ systemClockOffset: fullHour - now })
    const url = s3.getSignedUrl('getObject', { Bucket, Key, Expires: (2 * hour) / 1000 })
    return { url, expires: isoOf(fullHour + 2 * hour) }
  }
}
