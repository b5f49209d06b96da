import type { ChaosOptions } from '../helpers/chaos'

/** `npm run check:full` runs the suites at full size. */
export const isFull = Boolean(process.env.WHISKLENS_FULL)

export const images = isFull ? 2000 : 80

export const failingStore: ChaosOptions = { faults: { unavailable: 0.05, cut: 0.01 } }
export const dyingContainers: ChaosOptions = { recordsPerKill: isFull ? 25 : 10 }
export const everything: ChaosOptions = { ...failingStore, ...dyingContainers }
