// A write whose response was lost is mistaken for another writer's.

import { compareAndSwap as original } from '../../../src/storage/compare-and-swap'

export * from '../../../src/storage/compare-and-swap'

export const compareAndSwap: typeof original = (bucket, key, swap, pace) =>
  original(bucket, key, { ...swap, isOwn: () => false }, pace)
