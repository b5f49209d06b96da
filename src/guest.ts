import { workerData } from 'node:worker_threads'

/** The `workerData` of a worker thread in a guest process. */
export const guestData = { isWhisklensGuest: true }

let isGuestHere = workerData?.isWhisklensGuest === true

/** Marks the process as another program's, which uses Whisklens as a library. */
export function beGuest(): void {
  isGuestHere = true
}

/**
 * Whether the process belongs to another program. Then nothing is printed unasked, and shared state, such as that of
 * sharp, is left unchanged.
 */
export const isGuest = (): boolean => isGuestHere
