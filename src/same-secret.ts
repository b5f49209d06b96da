import { createHash, timingSafeEqual } from 'node:crypto'

/** Hashes make the lengths equal, which timingSafeEqual requires. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares two secrets in a time that does not tell how much of one was right. */
export const isSameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
