import { workerData } from 'node:worker_threads'

/** What a worker thread is given that works for a guest. */
export const guestData = { isWhisklensGuest: true }

let isGuestHere = workerData?.isWhisklensGuest === true

/** Says that the process is of another program, which uses Whisklens as a library. */
export function beGuest(): void {
  isGuestHere = true
}

/**
 * Whether the process is of another program: nothing is printed there that it did not ask for, and what it shares with us,
 * such as sharp, stays as it is.
 */
export const isGuest = (): boolean => isGuestHere
