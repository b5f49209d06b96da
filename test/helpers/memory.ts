import { readFileSync, writeFileSync } from 'node:fs'

function status(name: string): number | undefined {
  try {
    const found = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))
    return found ? Number(found[1]) * 1024 : undefined
  } catch {
    return undefined
  }
}

/** Resident memory of this process, bytes. */
export const residentBytes = (): number => status('VmRSS') ?? process.memoryUsage.rss()

/** Resets the peak. Without /proc, the peak covers the process's lifetime. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // Not Linux.
  }
}

/** Peak resident memory of this process, bytes. */
export const peakBytes = (): number => status('VmHWM') ?? process.resourceUsage().maxRSS * 1024
