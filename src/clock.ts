import { setTimeout as sleep } from 'node:timers/promises'

/** The source of time. The batch core uses no other, so that tests can replace it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  sleep(milliseconds: number): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds) => {
    await sleep(milliseconds)
  },
}

/** Milliseconds since the epoch as ISO 8601. */
export const isoOf = (milliseconds: number): string => new Date(milliseconds).toISOString()

/** Milliseconds since the epoch as a date. */
export const dateOf = (milliseconds: number): Date => new Date(milliseconds)

/** ISO 8601 as milliseconds since the epoch. */
export const msOf = (iso: string): number => Date.parse(iso)
