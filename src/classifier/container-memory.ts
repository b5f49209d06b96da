import { totalmem } from 'node:os'
import { isGuest } from '../guest'

export const MiB = 1024 * 1024

/** Default if there is no limit: that of our manifests, so that images are not refused elsewhere that are classified there. */
const defaultMemory = 512 * MiB

/** Memory of the machine, or of its container, bytes. */
export function machineMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}

/**
 * Memory per worker, bytes: all workers together get half.
 * @param there total, bytes
 */
export const memoryShare = (there: number, workers: number): number =>
  Math.max(defaultMemory, Math.floor(there / 2 / workers))

function memoryLimit(): number {
  const { WHISKLENS_MEMORY } = process.env
  if (WHISKLENS_MEMORY) return Number(WHISKLENS_MEMORY) * MiB
  if (isGuest()) return memoryShare(machineMemory(), 1)
  const there = machineMemory()
  return there < totalmem() ? there : defaultMemory
}

/** Memory of this container, bytes. Read once, because the cgroup's limit is in a file. */
export const containerMemory = memoryLimit()

/** Frees large buffers early, which V8 would keep until there is more garbage. OpenWhisk's runtime exposes gc() to actions. */
export const collectGarbage = (): void => void globalThis.gc?.()

/** Whether memory is too scarce for optional buffers. */
export const isMemoryScarce = containerMemory < 384 * MiB
