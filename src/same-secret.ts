import { createHash, timingSafeEqual } from 'node:crypto'

/** Hashes make the lengths equal, which timingSafeEqual requires. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares two secrets in constant time. */
export const isSameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
