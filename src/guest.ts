import { workerData } from 'node:worker_threads'

/** `workerData` of a worker thread that a host program started through the library. */
export const guestData = { isWhisklensGuest: true }

let isGuestHere = workerData?.isWhisklensGuest === true

/** Marks this process as a host program that uses Whisklens as a library. */
export function becomeGuest(): void {
  isGuestHere = true
}

/**
 * True in a host program: Whisklens then prints nothing unasked, and leaves process-wide settings, such as sharp's
 * cache, unchanged.
 */
export const isGuest = (): boolean => isGuestHere
