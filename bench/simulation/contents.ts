import type { ObjectInfo } from '../../src/storage/store'

export type Metadata = Record<string, string>

/** What a scripted bucket holds. Everything is there at once: how long requests take is the bucket's matter. */
export interface Contents {
  info(key: string): ObjectInfo | undefined
  /** The bytes of an object that is there. */
  body(key: string): Buffer
  metadata(key: string): Metadata
  put(key: string, body: Buffer, metadata?: Metadata): ObjectInfo
  delete(key: string): void
  /** In the order of their keys, at most `count` objects behind `after` that begin with `prefix`. */
  page(prefix: string, after: string, count: number): ObjectInfo[]
}

/** The first of `length` places that is not before what is looked for; the places before it lie in front. */
export function lowerBound(length: number, isBefore: (place: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether a key lies before what a listing asks for. */
export const isBefore = (key: string, prefix: string, after: string): boolean => key < prefix || key <= after
