import { totalmem } from 'node:os'
import { isGuest } from '../guest'

export const MiB = 1024 * 1024

/** An action's default in our manifests, where nothing says otherwise. Less would refuse elsewhere what is classified there. */
const defaultMemory = 512 * MiB

/** The memory of this machine, or of the container that it is in, bytes. */
export function machineMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}

/**
 * The memory of each of several workers, bytes: together they take half of what there is.
 * @param there bytes
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

/** The memory of this container, bytes. Asked for once: the cgroup's answer is in a file. */
export const containerMemory = memoryLimit()

/** A large buffer that is no longer needed would wait for more garbage. OpenWhisk's runtime exposes this to actions. */
export const collectGarbage = (): void => void globalThis.gc?.()

/** Whether so little that images need what would make their work faster. */
export const isMemoryScarce = containerMemory < 384 * MiB
