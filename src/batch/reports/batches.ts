import { systemClock } from '../../clock'
import type { Bucket } from '../../storage/store'
import { type Batch, openBatch } from '../state/batch'

/** How a batch stands, for those who only look. */
export const readBatch = (results: Bucket, batch: string): Promise<Batch | undefined> =>
  openBatch({ results, clock: systemClock, random: Math.random }, batch).read()
