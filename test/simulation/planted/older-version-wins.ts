// The older of two records of an image is kept.

import { newerOf as original, mergeRecords as originalMerge } from '../../../src/batch/records/merge'

export * from '../../../src/batch/records/merge'

export const newerOf: typeof original = (a, b) => (original(a, b) === a ? b : a)

export const mergeRecords: typeof originalMerge = (sources, choose) =>
  originalMerge(sources, (left, right) => (choose(left, right) === left ? right : left))
