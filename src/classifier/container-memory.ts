import { totalmem } from 'node:os'

export const MiB = 1024 * 1024

/** An action's default in our manifests, where nothing says otherwise. */
const usualMemory = 512 * MiB

function memoryLimit(): number {
  const { WHISKLENS_MEMORY } = process.env
  if (WHISKLENS_MEMORY) return Number(WHISKLENS_MEMORY) * MiB
  const constrained = process.constrainedMemory()
  return constrained > 0 && constrained < totalmem() ? constrained : usualMemory
}

/** The memory of this container, bytes. Asked for once: the cgroup's answer is in a file. */
export const containerMemory = memoryLimit()

/** A large buffer that is no longer needed would wait for more garbage. OpenWhisk's runtime exposes this to actions. */
export const collectGarbage = (): void => void globalThis.gc?.()

/** Whether so little that images need what would make their work faster. */
export const isMemoryScarce = containerMemory < 384 * MiB
