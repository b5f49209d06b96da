import { totalmem } from 'node:os'
import { MiB } from '../../classifier/container-memory'

/** As an action has in our manifests, MB: less would refuse here what is classified there. */
const least = 512

/**
 * The memory of each worker, MB: together they take half of what there is.
 * @param there bytes
 */
export const memoryShare = (there: number, workers: number): number =>
  Math.max(least, Math.floor(there / 2 / workers / MiB))

/**
 * Has each worker take images that its share of this machine's memory, or of the container's, has room for. Called before
 * workers start; `WHISKLENS_MEMORY` goes before it.
 */
export function shareMemory(workers: number): void {
  const constrained = process.constrainedMemory()
  const there = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  process.env.WHISKLENS_MEMORY ??= String(memoryShare(there, workers))
}
