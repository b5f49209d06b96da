import type { ImageRecord } from '../../schema'
import { compareKeys } from './keys'

/** The order in which a batch's records are read: by key, as stores list, and by bucket where keys are equal. */
export const comparePositions = (
  a: Pick<ImageRecord, 'key' | 'bucket'>,
  b: Pick<ImageRecord, 'key' | 'bucket'>,
): number => compareKeys(a.key, b.key) || compareKeys(a.bucket, b.bucket)
